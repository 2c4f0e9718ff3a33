internal import Backend
internal import Payments
internal import Service

let configuration = Program.configuration(
  usage: """
    gozon-payments [--flag value …]

    The service of payments of Gozon: RPC on one port, /healthz, /readyz and /metrics on another; state in PostgreSQL,
    events through NATS JetStream. SIGTERM ends it when what it accepted is done.
    """,
  settings: PaymentsBackend.settings)
let log = Log(service: "gozon-payments", configuration: configuration)
Program.run(log) { loop in
  try await PaymentsBackend.backend.run(loop: loop, log: log, configuration: configuration)
}
