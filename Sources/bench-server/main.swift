internal import API
internal import EventLoop
internal import Probe
internal import RPC
internal import Service

let configuration = Program.configuration(
  usage: """
    bench-server [--flag value …]

    Answers calls of the service of orders from the request alone, so that a load of it measures nothing but RPC, and
    calls of the probe service, which has every shape. SIGTERM ends it.
    """,
  settings: [
    .port("port", default: 0, "The RPC port; 0 takes a free one."),
    Setting("suspends", .flag, default: "false", "Let each handler suspend once before it answers."),
    ServiceTokenSetting.server,
  ] + CommonSettings.all)
let log = Log(service: "bench-server", configuration: configuration)
Program.run(log) { loop in
  let service = EchoOrders(suspends: configuration.flag("suspends"))
  let server = try RPCServer(
    loop: loop, name: "bench-server", host: configuration.text("listen-host"), port: configuration.integer("port"),
    services: [service.definition, ProbeImplementation().definition],
    token: ServiceTokenSetting.token(configuration).map(ServiceToken.init))
  if let problem = PortsFile.write(["bench": server.port], to: configuration.text("ports-file")) { log.error(problem) }
  let rpc = Part("rpc", run: { await server.run() }, beginGracefulShutdown: { server.beginGracefulShutdown() })
  try await Lifecycle(loop: loop, log: log).run([rpc])
}
