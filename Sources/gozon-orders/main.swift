internal import Backend
internal import Orders
internal import Service

let configuration = Program.configuration(
  usage: """
    gozon-orders [--flag value …]

    The service of orders of Gozon: RPC on one port, /healthz, /readyz and /metrics on another; state in PostgreSQL,
    events through NATS JetStream. SIGTERM ends it when what it accepted is done.
    """,
  settings: OrdersBackend.settings)
let log = Log(service: "gozon-orders", configuration: configuration)
Program.run(log) { loop in
  try await OrdersBackend.backend.run(loop: loop, log: log, configuration: configuration)
}
