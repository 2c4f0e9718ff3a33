import API
import EventLoop
import Probe
import TestSupport
import Testing
import Wire

@testable import RPC

/// Real servers on real sockets, which go and come back under load.
@Suite struct RollingRestartTests {
  /// A replica that can be restarted on the same port.
  // Confined to the loop of its test.
  private final class Replica: @unchecked Sendable {
    private let loop: EventLoop
    private let health: @Sendable () -> [DependencyHealth]
    private var server: RPCServer
    private var serving: Task<Void, Never>
    let port: Int

    init(_ loop: EventLoop, health: @escaping @Sendable () -> [DependencyHealth] = { [] }) throws {
      self.loop = loop
      self.health = health
      let server = try Self.server(loop, port: 0, health)
      self.server = server
      port = server.port
      serving = loop.startTask { await server.run() }
    }

    private static func server(
      _ loop: EventLoop, port: Int, _ health: @escaping @Sendable () -> [DependencyHealth]
    ) throws -> RPCServer {
      try RPCServer(
        loop: loop, name: "replica", host: "127.0.0.1", port: port, services: [ProbeImplementation().definition],
        health: { ServerHealth(health()) })
    }

    var answered: UInt64 { server.methodStatistics.map(\.statistics.started).reduce(0, +) }

    func asked(_ method: String) -> UInt64 {
      server.methodStatistics.first { $0.name.hasSuffix(method) }?.statistics.started ?? 0
    }

    func restart() async throws {
      await stop()
      let server = try Self.server(loop, port: port, health)
      self.server = server
      serving = loop.startTask { await server.run() }
    }

    func stop() async {
      server.beginGracefulShutdown()
      await serving.value
    }
  }

  /// What the callers of a load met.
  // Confined to the loop of its test.
  private final class Load: @unchecked Sendable {
    var calls = 0
    var failures: [String] = []
    var isEnding = false

    /// Calls `body` again and again, until the load ends.
    func run(_ body: () async throws -> Void) async {
      while !isEnding {
        calls += 1
        do { try await body() } catch { failures.append("\(error)") }
      }
    }
  }

  private static func withReplicas(
    _ count: Int, health: [@Sendable () -> [DependencyHealth]] = [],
    _ body: @escaping @Sendable (EventLoop, RPCPool, [Replica]) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let replicas = try (0..<count).map { index in
        try index < health.count ? Replica(loop, health: health[index]) : Replica(loop)
      }
      let pool = RPCPool(loop: loop, addresses: replicas.map { ("127.0.0.1", $0.port) })
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await pool.run() }
        defer { group.cancelAll() }
        try await body(loop, pool, replicas)
      }
      for replica in replicas { await replica.stop() }
    }
  }

  private static func until(_ loop: EventLoop, _ condition: () -> Bool) async throws {
    for _ in 0..<5_000 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    try #require(condition())
  }

  /// `Ask` as it would be if a repeat did harm.
  private static let harmfulAsk = MethodReference<AskRequest, AskResponse>(
    id: ProbeMethods.ask.id, name: ProbeMethods.ask.name, isIdempotent: false)

  @Test(.timeLimit(.minutes(1)))
  func `a rolling restart of two replicas under load fails no call`() async throws {
    try await Self.withReplicas(2) { loop, pool, replicas in
      let (load, probe) = (Load(), ProbeClient(pool))
      try await withThrowingDiscardingTaskGroup { group in
        for caller in 0..<24 {
          let ask = AskRequest(payload: [1, 2, 3], delayMilliseconds: caller % 3 == 0 ? 3 : 0)
          group.addTask { await load.run { _ = try await pool.unary(Self.harmfulAsk, ask, CallOptions()) } }
        }
        for _ in 0..<4 {
          group.addTask {
            await load.run {
              var count = 0
              for try await _ in probe.produce(ProduceRequest(count: 20, size: 100, intervalMilliseconds: 1)) {
                count += 1
              }
              if count != 20 { throw RPCError(.dataLoss, "\(count) of 20 pieces") }
            }
          }
          group.addTask {
            await load.run {
              let call = probe.consume()
              for number in 0..<20 {
                try await call.send(Piece(number: UInt64(number), payload: [1, 2, 3]))
                if number % 7 == 0 { try await loop.sleep(for: .milliseconds(1)) }
              }
              call.finish()
              let count = try await call.response().count
              if count != 20 { throw RPCError(.dataLoss, "\(count) of 20 pieces") }
            }
          }
        }
        for _ in 0..<3 {
          for replica in replicas {
            try await replica.restart()
            let before = replica.answered
            try await Self.until(loop) { replica.answered > before + 50 }
          }
        }
        load.isEnding = true
      }
      #expect(load.failures == [] && load.calls > 300)
      #expect(pool.statistics.retries == 0, "no call may need a repeat")
    }
  }

  @Test func `a replica that says that it does not serve gets no calls while another does`() async throws {
    let isWell = Locked(true)
    let health: @Sendable () -> [DependencyHealth] = {
      [DependencyHealth(name: "database", status: isWell.withLock { $0 } ? .serving : .notServing, reason: "away")]
    }
    try await Self.withReplicas(2, health: [health]) { loop, pool, replicas in
      let probe = ProbeClient(pool)
      func ask(_ count: Int) async throws { for _ in 0..<count { _ = try await probe.ask(AskRequest()) } }
      func isAsked() async throws -> Bool {
        let before = replicas[0].asked("Ask")
        try await ask(8)
        return replicas[0].asked("Ask") > before
      }
      func untilAsked(_ wanted: Bool) async throws {
        for _ in 0..<2_500 {
          if try await isAsked() == wanted { return }
          try await loop.sleep(for: .milliseconds(2))
        }
        Issue.record("the replica is \(wanted ? "not" : "still") called")
      }
      try await untilAsked(true)
      isWell.withLock { $0 = false }
      try await untilAsked(false)
      isWell.withLock { $0 = true }
      try await untilAsked(true)
    }
  }

  @Test func `a stream of responses begins again elsewhere as long as nothing has come of it`() async throws {
    try await onLoop { loop in
      let replica = try Replica(loop)
      let fake = FakeConnection("fake")
      fake.answer = { _ in .failure(RPCError(.unavailable, "lost", reason: "CONNECTION_LOST")) }
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: replica.port)
      let members = [fake, client].map { (connection: any PoolConnection) in
        PoolMember(loop: loop, connection: connection, watchesHealth: false)
      }
      let pool = RPCPool(loop: loop, members: members)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        defer { group.cancelAll() }
        try await client.untilConnected()
        for _ in 0..<4 {
          var count = 0
          for try await _ in ProbeClient(pool).produce(ProduceRequest(count: 3, size: 1)) { count += 1 }
          #expect(count == 3)
        }
        #expect(!fake.calls.isEmpty && pool.statistics.retries == UInt64(fake.calls.count))
        var pieces = 0
        do {
          let unavailable = ProduceRequest(count: 2, size: 1, status: UInt32(StatusCode.unavailable.rawValue))
          for try await _ in ProbeClient(pool).produce(unavailable) { pieces += 1 }
          Issue.record("a stream that failed ended well")
        } catch let error as RPCError {
          #expect(error.code == .unavailable)
        }
        #expect(pieces == 2, "what was delivered is not delivered again")
      }
      await replica.stop()
    }
  }
}
