internal import Gateway
internal import Service

let configuration = Program.configuration(
  usage: """
    gozon-gateway [--flag value …]

    The public HTTP API of Gozon, in front of the services: it learns its routes from them and translates JSON to RPC.
    /healthz, /readyz and /metrics are on a port of their own, too. SIGTERM ends it when what it accepted is answered.
    """,
  settings: GatewayProgram.settings)
let log = Log(service: "gozon-gateway", configuration: configuration)
Program.run(log) { loop in
  try await GatewayProgram.run(loop: loop, log: log, configuration: configuration)
}
