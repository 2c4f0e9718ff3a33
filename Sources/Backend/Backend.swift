package import EventLoop
internal import OTLP
package import Messaging
package import RPC
package import Service
package import Tracing

/// A service with a database and the broker: orders, or payments.
package struct Backend: Sendable {
  /// What every backend has, for its own parts to be built on.
  package struct Foundation: Sendable {
    package let loop: EventLoop
    package let log: Log
    package let configuration: Configuration
    package let database: Database
    package let broker: Broker
    /// This process's share of the lanes of the stream that it consumes.
    package let lanes: LaneKeeper
    /// Records what is done for sampled traces; nil when nobody wants to know.
    package let tracer: Tracer?
  }

  /// What makes a backend the one it is.
  package struct Specialty: Sendable {
    /// The services it offers.
    package let services: [ServiceDefinition]
    /// Its own parts, in the order of their dependence.
    package let parts: [Part]
    /// Ends streams that would not end by themselves; called when the server takes no more calls.
    package let beginsShutdown: @Sendable () -> Void
    /// Its own figures.
    package let metrics: @Sendable () -> [Metric]
    /// How far its consumer is behind; nil when that cannot be told just now.
    package let lag: @Sendable () async throws -> Int?
    /// Its figures that the database is asked for.
    package let databaseFigures: @Sendable () async throws -> [Metric]

    /// A specialty of these services and parts.
    package init(
      services: [ServiceDefinition], parts: [Part], beginsShutdown: @escaping @Sendable () -> Void = {},
      metrics: @escaping @Sendable () -> [Metric] = { [] },
      lag: @escaping @Sendable () async throws -> Int?,
      databaseFigures: @escaping @Sendable () async throws -> [Metric] = { [] }
    ) {
      self.services = services
      self.parts = parts
      self.beginsShutdown = beginsShutdown
      self.metrics = metrics
      self.lag = lag
      self.databaseFigures = databaseFigures
    }
  }

  private let name: String
  private let specialize: @Sendable (Foundation) throws -> Specialty

  /// A backend called `name` (`orders`, `payments`).
  package init(name: String, specialize: @escaping @Sendable (Foundation) throws -> Specialty) {
    self.name = name
    self.specialize = specialize
  }

  /// Runs until the process is told to end.
  package func run(loop: EventLoop, log: Log, configuration: Configuration) async throws {
    let database = try Database(
      loop: loop, log: log, url: configuration.text("database-url-\(name)"), name: "gozon-\(name)",
      connections: configuration.integer("database-connections"), directory: configuration.text("migrations"))
    let broker = Broker(
      loop: loop, url: configuration.text("nats-url"), replicas: configuration.integer("nats-replicas"),
      name: "gozon-\(name)")
    let traces = try TracingSettings.make(
      loop: loop, log: log, configuration: configuration, service: "gozon-\(name)")
    let specialty = try specialize(
      Foundation(
        loop: loop, log: log, configuration: configuration, database: database, broker: broker,
        lanes: database.lanes(log: log), tracer: traces?.tracer))
    let readiness: @Sendable () -> [Readiness] = { [database.readiness, broker.readiness] }
    let figures = RefreshedFigures(
      loop: loop, log: log,
      sources: [
        .init("postgres", ask: specialty.databaseFigures),
        .init("nats") {
          try await BackendFigures.deadLetters(broker) + BackendFigures.lag(try await specialty.lag())
        },
      ])

    let host = configuration.text("listen-host")
    var limits = RPCServer.Limits()
    // A gateway's watchers share its connection.
    limits.streamsMax = 65_536
    let server = try RPCServer(
      loop: loop, name: "gozon-\(name)", host: host, port: configuration.integer("\(name)-port"),
      services: specialty.services, limits: limits,
      tls: RPCTLSSettings.server(configuration, applicationProtocol: RPCProtocol.name, log: log),
      token: ServiceTokenSetting.token(configuration).map(ServiceToken.init),
      interceptors: traces.map { [CallTracing($0.tracer)] } ?? [],
      health: {
        let readiness = readiness()
        return ServerHealth(readiness.map(DependencyHealth.init), isServing: readiness.isReady)
      },
      onUnexpectedError: { error, method, metadata in
        log.error(
          "a call failed",
          [
            .method: method, .error: String(reflecting: error), .requestID: metadata["request-id"] ?? "",
            .traceID: metadata.trace?.traceID ?? "",
          ])
      })
    let work: @Sendable () -> [Metric] = {
      BackendFigures.pool(database.pool) + specialty.metrics() + figures.metrics
    }
    server.gauges = { work().flatMap(Gauge.all) }
    let admin = try AdminServer(
      loop: loop, host: host, port: configuration.integer("\(name)-admin-port"), readiness: readiness,
      metrics: { BackendFigures.calls(server) + work() + (traces?.exporter.metrics ?? []) })
    let ports: KeyValuePairs = [name: server.port, "\(name)Admin": admin.port]
    if let problem = PortsFile.write(ports, to: configuration.text("ports-file")) { log.warning(problem) }
    log.info("listening", [.address: "\(host):\(server.port)", .port: "\(admin.port)"])

    let rpc = Part(
      "rpc", run: { await server.run() },
      beginGracefulShutdown: {
        server.beginGracefulShutdown()
        specialty.beginsShutdown()
      })
    try await Lifecycle(loop: loop, log: log).run(
      [admin.part] + (traces.map { [$0.exporter.part] } ?? []) + [database.part, broker.part, figures.part]
        + specialty.parts + [rpc])
    log.info("ended")
  }
}

extension Gauge {
  fileprivate static func all(of metric: Metric) -> [Gauge] {
    metric.gauges.map { Gauge(name: $0.name, help: metric.help, value: $0.value) }
  }
}

extension DependencyHealth {
  fileprivate init(_ readiness: Readiness) {
    self.init(
      name: readiness.name, status: readiness.problem == nil ? .serving : .notServing,
      reason: readiness.problem ?? "")
  }
}
