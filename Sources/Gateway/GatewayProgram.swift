package import EventLoop
internal import HTTP
internal import OTLP
internal import RPC
package import Service

/// The gateway as a process, wired by hand.
package enum GatewayProgram {
  /// Its settings.
  package static let settings: [Setting] =
    [
      .port("http-port", default: 8080, "The port of the public HTTP API; 0 takes a free one."),
      Setting(
        "http-compression", .flag, default: "false",
        "Send answers of 1 KB and more as gzip to clients that want it."),
      .port("gateway-admin-port", default: 9080, "The port of /healthz, /readyz and /metrics; 0 takes a free one."),
      Setting(
        "backends", .addresses, default: "127.0.0.1:7001,127.0.0.1:7002",
        "The RPC servers whose routes are offered, replicas included; where two contradict, the first one wins."),
      Setting(
        "routes", .text, default: "",
        "A file of further routes, read again when it changes; tools/routes/legacy.routes is an example, with how to write "
          + "one."),
      Setting(
        "docs-assets", .text, default: "",
        "The directory of Swagger UI 5 (its dist), which shows the API at /docs; without it /docs tells only of "
          + "/openapi.json."),
    ] + AuthenticationSettings.all + LimitSettings.all + HTTPTLSSettings.server + RPCTLSSettings.client
    + [ServiceTokenSetting.client] + TracingSettings.all + CommonSettings.all

  /// Open connections at most, as far as there are files for them.
  private static let connectionsMax = 60_000
  /// Files that are left for everything else.
  private static let filesKept = 256

  /// Runs until the process is told to end.
  package static func run(loop: EventLoop, log: Log, configuration: Configuration) async throws {
    var options = RPCClient.Options()
    options.name = "gozon-gateway"
    options.token = ServiceTokenSetting.token(configuration).map(ServiceToken.init)
    // A stream whose client reads slowly must not take room from others, nor hold much.
    options.callWindow = 16 << 10
    options.connectionWindow = 1 << 30
    options.tls = try RPCTLSSettings.client(configuration, applicationProtocol: RPCProtocol.name, log: log)
    let connections = configuration.addresses("backends").map {
      RPCClient(loop: loop, host: $0.host, port: $0.port, options: options)
    }
    let backends = Backends(loop: loop, connections: connections, log: log)
    let routes = configuration.text("routes")
    let watch = routes.isEmpty ? nil : try RouteFileWatch(routes, backends: backends, loop: loop, log: log)
    let gatekeeper = Gatekeeper(authenticator: try authenticator(configuration, log), limits: configuration)
    let traces = try TracingSettings.make(
      loop: loop, log: log, configuration: configuration, service: "gozon-gateway")
    let assets = configuration.text("docs-assets")
    let documentation = Documentation(
      backends, swaggerUI: assets.isEmpty ? nil : try SwaggerUI(directory: assets),
      asksForTokens: gatekeeper.asksForTokens)
    let gateway = Gateway(
      loop: loop, backends: backends, log: log, gatekeeper: gatekeeper, tracer: traces?.tracer,
      documentation: documentation)

    let host = configuration.text("listen-host")
    var limits = HTTPLimits()
    limits.connectionsMax = min(max(OpenFiles.raiseLimit() - filesKept, 64), connectionsMax)
    let server = try HTTPServer(
      loop: loop, host: host, port: configuration.integer("http-port"), limits: limits,
      tls: HTTPTLSSettings.server(configuration, log: log), compresses: configuration.flag("http-compression"),
      refuse: { refusal in
        backends.statistics.refused(refusal.status)
        return Gateway.refuse(refusal)
      }, handler: gateway.answer)
    let admin = try AdminServer(
      loop: loop, host: host, port: configuration.integer("gateway-admin-port"),
      readiness: { backends.readiness },
      metrics: {
        metrics(server, backends, gateway) + gatekeeper.metrics + backends.statistics.metrics
          + (traces?.exporter.metrics ?? [])
      })
    let ports: KeyValuePairs = ["http": server.port, "gatewayAdmin": admin.port]
    if let problem = PortsFile.write(ports, to: configuration.text("ports-file")) { log.warning(problem) }
    log.info("listening", [.address: "\(host):\(server.port)", .port: "\(admin.port)"])

    let http = Part("http", run: { await server.run() }, beginGracefulShutdown: { server.beginGracefulShutdown() })
    let calls = Part(
      "backends", run: { await backends.run() }, beginGracefulShutdown: { backends.beginGracefulShutdown() })
    let file = watch.map { watch in
      Part("routes", run: { await watch.run() }, beginGracefulShutdown: { watch.beginGracefulShutdown() })
    }
    let parts = [admin.part] + (traces.map { [$0.exporter.part] } ?? []) + [calls] + (file.map { [$0] } ?? []) + [http]
    try await Lifecycle(loop: loop, log: log).run(parts)
    log.info("ended")
  }

  /// What asks callers for tokens; nil when nothing is set that could tell good ones.
  private static func authenticator(_ configuration: Configuration, _ log: Log) throws -> Authenticator? {
    let value = { (setting: Setting) in
      let text = configuration.text(setting.name)
      return text.isEmpty ? nil : text
    }
    guard let keys = value(AuthenticationSettings.keys) else { return nil }
    if !Address.isLoopback(configuration.text("listen-host")), configuration.text("http-tls-certificate").isEmpty {
      log.warning(
        "tokens can be read on the way: set --http-tls-certificate, unless a proxy on a network of yours ends TLS")
    }
    return try Authenticator(
      keys: keys, issuer: value(AuthenticationSettings.issuer), audience: value(AuthenticationSettings.audience),
      log: log)
  }

  private static func metrics(_ server: HTTPServer, _ backends: Backends, _ gateway: Gateway) -> [Metric] {
    let calls = backends.poolStatistics
    let readyCount = backends.readiness.count { $0.problem == nil }
    return [
      Metric("http_connections", .gauge, "Open connections.", Double(server.connectionCount)),
      Metric("http_requests_running", .gauge, "Requests in work.", Double(server.requestCount)),
      Metric("http_requests_total", .counter, "Requests begun.", Double(server.requestTotal)),
      Metric("http_streams", .gauge, "Open streams of messages.", Double(gateway.streams.count)),
      Metric("rpc_client_calls_total", .counter, "Calls begun.", Double(calls.calls)),
      Metric("rpc_client_retries_total", .counter, "Further attempts of calls.", Double(calls.retries)),
      Metric("rpc_client_moves_total", .counter, "Calls made elsewhere, never seen before.", Double(calls.moves)),
      Metric("rpc_client_queued_total", .counter, "Calls that waited for a connection.", Double(calls.queued)),
      Metric("rpc_client_queue_seconds_total", .counter, "How long they waited.", calls.queueTime / .seconds(1)),
      Metric("rpc_client_budget_tokens", .gauge, "Tokens left for further attempts.", calls.budgetTokens),
      Metric("backends_ready", .gauge, "Servers whose routes can be served.", Double(readyCount)),
    ]
  }
}
