package import EventLoop
package import RPC
internal import Schema
package import Service

/// The servers behind the gateway: keeps connected to each, and learns from each what routes it offers.
// Confined to its event loop.
package final class Backends: @unchecked Sendable {
  private static let reflectTimeout: Duration = .seconds(5)
  private static let reflectBackoff: Duration = .seconds(1)

  private let loop: EventLoop
  private let log: Log
  private let backends: [BackendServer]
  /// The pools of the sets of servers that routes share.
  private var pools: [[ObjectIdentifier]: RPCPool] = [:]
  private let stopping: LoopSignal
  /// What became of the requests of all routes.
  package let statistics = GatewayStatistics()
  /// The routes of every server that has been heard of, connected or not.
  package private(set) var routes = RouteTable() {
    didSet { routesVersion += 1 }
  }
  /// Routes beside those of the schemas.
  private var routeFile = RouteFile()
  /// Grows whenever ``routes`` may have changed.
  private(set) var routesVersion = 0

  /// The servers at the other ends of `connections`; where two offer the same route, the earlier one wins.
  package init(loop: EventLoop, connections: [any PoolConnection], log: Log) {
    self.loop = loop
    self.log = log
    stopping = LoopSignal(loop: loop)
    backends = connections.map { BackendServer(member: PoolMember(loop: loop, connection: $0)) }
    for backend in backends { backend.member.observe { [unowned self] in stateChanged(backend) } }
  }

  /// Keeps connected to every server until ``beginGracefulShutdown()``, or until the task is cancelled.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      for backend in backends {
        group.addTask { await backend.member.run() }
      }
      await stopping.wait()
      group.cancelAll()
    }
  }

  /// Disconnects from every server.
  package func beginGracefulShutdown() {
    stopping.signal()
  }

  /// Each server, by its address, and why its routes cannot be served just now. One whose routes are all served by others
  /// too can be done without.
  package var readiness: [Readiness] {
    backends.map { backend in
      let reason = backend.unreadyReason
      let isRequired = backend.offer == nil || routes.routes.contains { $0.needs(backend) }
      if reason == nil, !backend.member.isServing {
        return Readiness(backend.address, problem: "it says that it cannot do its work now", isRequired: false)
      }
      return Readiness(backend.address, problem: reason, isRequired: isRequired)
    }
  }

  /// Whether every server has told its routes at least once, so that a route that is not known does not exist.
  var isEveryOfferKnown: Bool { backends.allSatisfy { $0.offer != nil } }

  /// What makes the calls of a route, at the servers that offer it.
  func pool(of route: Route) -> RPCPool {
    let key = route.backends.map(ObjectIdentifier.init)
    if let pool = pools[key] { return pool }
    let pool = RPCPool(loop: loop, members: route.backends.map(\.member))
    pools[key] = pool
    return pool
  }

  /// What the pools have done together; the budget is that of the one that has the least left.
  var poolStatistics: PoolStatistics {
    pools.values.lazy.map(\.statistics).reduce(into: nil) { $0 = $0?.adding($1) ?? $1 } ?? PoolStatistics()
  }

  private func stateChanged(_ backend: BackendServer) {
    if backend.isConnected == backend.wasConnected { return }
    backend.wasConnected = backend.isConnected
    guard backend.isConnected else {
      return log.warning("backend lost", [.address: backend.address, .reason: backend.unreadyReason ?? ""])
    }
    log.info("backend connected", [.address: backend.address])
    if backend.isLearning { return }
    backend.isLearning = true
    loop.startTask {
      await self.learn(backend)
      backend.isLearning = false
    }
  }

  /// Asks a server for its schemas until it answers or is gone.
  private func learn(_ backend: BackendServer) async {
    while backend.isConnected {
      do {
        let client = ServerClient(backend.member.connection)
        return try learned(
          await client.reflect(ReflectRequest(), options: CallOptions(timeout: Self.reflectTimeout)), from: backend)
      } catch {
        backend.offerProblem = "its schemas cannot be used: \(error)"
        log.warning("reflection failed", [.address: backend.address, .error: "\(error)"])
        try? await loop.sleep(for: Self.reflectBackoff)
      }
    }
  }

  private func learned(_ reflection: ReflectResponse, from backend: BackendServer) throws {
    let sources = reflection.files.flatMap { [$0.name, $0.source] }
    if sources != backend.offer?.sources {
      let schema = try SchemaSet.parse(reflection.files.map { ($0.name, $0.source) })
      backend.offer = (JSONTranslator(schema), sources)
      makeRoutes()
      log.info("routes learned", [.address: backend.address, .count: "\(routes.routes.count)"])
      for conflict in routes.conflicts { log.error("route conflict", [.reason: conflict]) }
    }
    backend.offerProblem = nil
  }

  private var offers: RouteFile.Offers {
    backends.compactMap { backend in backend.offer.map { (backend, $0.translator) } }
  }

  private func makeRoutes() {
    routes = RouteTable(offers, routeFile, statistics: statistics)
    // Before every server is known, a method that is missing may yet come.
    guard isEveryOfferKnown else { return }
    for error in routes.fileErrors { log.error("route of the file left out", [.reason: "\(error)"]) }
  }

  // MARK: Route files

  /// Puts the routes of a file in the place of those of the file before.
  func use(_ file: RouteFile) {
    routeFile = file
    makeRoutes()
  }

  /// Refuses a file with routes that fit no method, or that are taken, as soon as that can be told.
  func check(_ file: RouteFile) throws(RouteFileErrors) {
    guard isEveryOfferKnown else { return }
    let errors = RouteTable(offers, file).fileErrors
    if !errors.isEmpty { throw RouteFileErrors(errors) }
  }
}
