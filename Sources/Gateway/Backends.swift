package import EventLoop
internal import RPC
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
  private var next = 0
  private let stopping: LoopSignal
  /// The routes of every server that has been heard of, connected or not.
  package private(set) var routes = RouteTable()

  /// The servers at the other ends of `channels`; where two offer the same route, the earlier one wins.
  package init(loop: EventLoop, channels: [any BackendChannel], log: Log) {
    self.loop = loop
    self.log = log
    stopping = LoopSignal(loop: loop)
    backends = channels.map(BackendServer.init)
    for backend in backends {
      backend.channel.onReadinessChange = { [unowned self] isReady in readinessChanged(backend, isReady) }
    }
  }

  /// Keeps connected to every server until ``beginGracefulShutdown()``, or until the task is cancelled.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      for backend in backends {
        group.addTask { await backend.channel.run() }
      }
      await stopping.wait()
      group.cancelAll()
    }
  }

  /// Disconnects from every server.
  package func beginGracefulShutdown() {
    stopping.signal()
  }

  /// Each server, by its address, and why its routes cannot be served just now.
  package var readiness: [Readiness] {
    backends.map { Readiness($0.channel.address, problem: $0.unreadyReason) }
  }

  /// The loop's clock.
  var now: LoopInstant { loop.now }

  /// Whether every server has told its routes at least once, so that a route that is not known does not exist.
  var isEveryOfferKnown: Bool { backends.allSatisfy { $0.offer != nil } }

  /// The least busy connected server of `candidates`, the next one in turn among equals; nil when none is connected.
  func pick(from candidates: [BackendServer], except excluded: BackendServer? = nil) -> BackendServer? {
    next &+= 1
    var best: BackendServer?
    for offset in candidates.indices {
      let candidate = candidates[(offset &+ next) % candidates.count]
      guard candidate.channel.isReady, candidate !== excluded else { continue }
      if best.map({ candidate.channel.callCount < $0.channel.callCount }) ?? true { best = candidate }
    }
    return best
  }

  private func readinessChanged(_ backend: BackendServer, _ isReady: Bool) {
    let address = backend.channel.address
    guard isReady else {
      return log.warning("backend lost", [.address: address, .reason: backend.channel.unreadyReason ?? ""])
    }
    log.info("backend connected", [.address: address])
    if backend.isLearning { return }
    backend.isLearning = true
    loop.startTask {
      await self.learn(backend)
      backend.isLearning = false
    }
  }

  /// Asks a server for its schemas until it answers or is gone.
  private func learn(_ backend: BackendServer) async {
    while backend.channel.isReady {
      do {
        let client = ServerClient(backend.channel)
        return try learned(
          await client.reflect(ReflectRequest(), options: CallOptions(timeout: Self.reflectTimeout)), from: backend)
      } catch {
        backend.offerProblem = "its schemas cannot be used: \(error)"
        log.warning("reflection failed", [.address: backend.channel.address, .error: "\(error)"])
        try? await loop.sleep(for: Self.reflectBackoff)
      }
    }
  }

  private func learned(_ reflection: ReflectResponse, from backend: BackendServer) throws {
    let sources = reflection.files.flatMap { [$0.name, $0.source] }
    if sources != backend.offer?.sources {
      let schema = try SchemaSet.parse(reflection.files.map { ($0.name, $0.source) })
      backend.offer = (JSONTranslator(schema), sources)
      routes = RouteTable(backends.compactMap { backend in backend.offer.map { (backend, $0.translator) } })
      log.info("routes learned", [.address: backend.channel.address, .count: "\(routes.routes.count)"])
      for conflict in routes.conflicts { log.error("route conflict", [.reason: conflict]) }
    }
    backend.offerProblem = nil
  }
}
