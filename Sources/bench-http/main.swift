internal import EventLoop
internal import HTTP
internal import Service

let configuration = Program.configuration(
  usage: """
    bench-http [--flag value …]

    Answers HTTP from the request alone: bodies whole and in pieces, and WebSockets, so that what talks to it sees nothing
    but the HTTP server. SIGTERM ends it.
    """,
  settings: [
    .port("http-port", default: 0, "The port; 0 takes a free one."),
    Setting("http-compression", .flag, default: "false", "Send texts as gzip to clients that want it."),
    Setting(
      "timeout-milliseconds", .integer(0...600_000), default: "0",
      "How long a client may take for whatever it must do; 0 leaves each its own time."),
  ] + HTTPTLSSettings.server + CommonSettings.all)
let log = Log(service: "bench-http", configuration: configuration)
Program.run(log) { loop in
  var limits = HTTPLimits()
  if case let time = Duration.milliseconds(configuration.integer("timeout-milliseconds")), time > .zero {
    limits.headTimeout = time
    limits.bodyTimeout = time
    limits.idleTimeout = time
    limits.sendTimeout = time
    limits.webSocketPingInterval = time
  }
  let site = ProbeSite(loop: loop)
  let server = try HTTPServer(
    loop: loop, host: configuration.text("listen-host"), port: configuration.integer("http-port"), limits: limits,
    tls: HTTPTLSSettings.server(configuration, log: log), compresses: configuration.flag("http-compression"),
    handler: site.answer)
  site.server = server
  if let problem = PortsFile.write(["http": server.port], to: configuration.text("ports-file")) { log.error(problem) }
  let http = Part("http", run: { await server.run() }, beginGracefulShutdown: { server.beginGracefulShutdown() })
  try await Lifecycle(loop: loop, log: log).run([http])
}
