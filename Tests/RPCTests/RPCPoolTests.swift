import API
import EventLoop
import TestSupport
import Testing
import Wire

@testable import RPC

@Suite struct RPCPoolTests {
  private static let lost = RPCError(.unavailable, "the connection was lost", reason: "CONNECTION_LOST")
  private static let refused = RPCError(.unavailable, "connection refused", reason: "NOT_CONNECTED")
  private static let found = Order(id: UUID(high: 1, low: 2), amount: 7).encoded()

  /// Runs `body` with a pool of two connections that answer every call with an order.
  private static func withPool(
    _ options: RPCPool.Options = .init(), state: ConnectionState = .ready,
    _ body: @escaping @Sendable (EventLoop, RPCPool, [FakeConnection]) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let fakes = ["a", "b"].map { FakeConnection($0, state: state) }
      for fake in fakes { fake.answer = { _ in .success(found) } }
      let members = fakes.map { PoolMember(loop: loop, connection: $0, watchesHealth: false) }
      try await body(loop, RPCPool(loop: loop, members: members, options: options), fakes)
    }
  }

  private static func options(_ change: (inout RPCPool.Options) -> Void) -> RPCPool.Options {
    var options = RPCPool.Options()
    change(&options)
    return options
  }

  private static func get(_ pool: RPCPool, _ options: CallOptions = .init()) async throws -> Order {
    try await OrdersClient(pool).getOrder(GetOrderRequest(id: .zero), options: options)
  }

  private static func create(_ pool: RPCPool, _ options: CallOptions = .init()) async throws -> Order {
    try await OrdersClient(pool).createOrder(CreateOrderRequest(userId: .zero, amount: 1), options: options)
  }

  private static func expectOrder(_ body: () async throws -> Order) async throws {
    let order = try await body()
    #expect(order.amount == 7)
  }

  private static func error(_ body: () async throws -> Void) async -> RPCError? {
    do { try await body() } catch { return error as? RPCError }
    return nil
  }

  /// Waits for something that another task does, within a bound.
  private static func until(_ loop: EventLoop, _ condition: () -> Bool) async throws {
    for _ in 0..<2_500 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    try #require(condition())
  }

  // MARK: Repeats

  @Test func `an idempotent call that is lost is made again at another server, and says so`() async throws {
    try await Self.withPool { _, pool, fakes in
      fakes[0].answer = { _ in .failure(Self.lost) }
      for _ in 0..<4 { try await Self.expectOrder { try await Self.get(pool) } }
      #expect(pool.statistics.calls == 4 && pool.statistics.retries == UInt64(fakes[0].calls.count))
      #expect(!fakes[0].calls.isEmpty && fakes[0].calls.allSatisfy { $0.options.metadata["attempt"] == nil })
      #expect(fakes[1].calls.count == 4 && fakes[1].calls.contains { $0.options.metadata["attempt"] == "2" })
      #expect(pool.statistics.budgetTokens < 1_000)
    }
  }

  @Test func `a call whose repeat may do harm is made once, unless it has a key that its method takes`() async throws {
    try await Self.withPool { _, pool, fakes in
      for fake in fakes { fake.answer = { _ in .failure(Self.lost) } }
      #expect(await Self.error { _ = try await Self.create(pool) } == Self.lost)
      #expect(fakes.map(\.calls.count).reduce(0, +) == 1)
      #expect(OrdersMethods.createOrder.takesIdempotencyKey && !OrdersMethods.createOrder.isIdempotent)
      let keyed = CallOptions(metadata: ["idempotency-key": "k"])
      #expect(await Self.error { _ = try await Self.create(pool, keyed) } == Self.lost)
      #expect(fakes.map(\.calls.count).reduce(0, +) == 4)
    }
  }

  @Test func `a call of encoded messages is repeated when its caller says that it may be`() async throws {
    try await Self.withPool { _, pool, fakes in
      for fake in fakes { fake.answer = { _ in .failure(Self.lost) } }
      for (isRepeatable, attempts) in [(nil, 1), (false, 1), (true, 3)] as [(Bool?, Int)] {
        let before = fakes.map(\.calls.count).reduce(0, +)
        let options = CallOptions(isRepeatable: isRepeatable)
        #expect(await Self.error { _ = try await pool.call(method: 1, payload: [], options: options) } == Self.lost)
        #expect(fakes.map(\.calls.count).reduce(0, +) == before + attempts)
      }
    }
  }

  @Test func `an error that is an answer is not asked for again`() async throws {
    try await Self.withPool { _, pool, fakes in
      for fake in fakes { fake.answer = { _ in .failure(RPCError(.notFound, "no")) } }
      #expect(await Self.error { _ = try await Self.get(pool) }?.code == .notFound)
      #expect(pool.statistics.retries == 0)
    }
  }

  @Test func `a server that wants more patience than the caller has is not waited for`() async throws {
    try await Self.withPool { _, pool, fakes in
      let busy = RPCError(.resourceExhausted, "busy", retryAfter: .seconds(60))
      for fake in fakes { fake.answer = { _ in .failure(busy) } }
      #expect(await Self.error { _ = try await Self.get(pool) } == busy)
      #expect(pool.statistics.retries == 0)
    }
  }

  @Test func `an attempt has a time of its own, and the last one no more than the call`() async throws {
    let options = Self.options { $0.retry.attemptTimeout = .milliseconds(100) }
    try await Self.withPool(options) { loop, pool, fakes in
      fakes[0].answer = { _ in .failure(RPCError(.deadlineExceeded, "no answer")) }
      fakes[1].answer = fakes[0].answer
      #expect(await Self.error { _ = try await Self.get(pool) }?.code == .deadlineExceeded)
      let timeouts = fakes.flatMap(\.calls).map(\.options.timeout)
      #expect(timeouts == Array(repeating: .milliseconds(100), count: 3))
      _ = await Self.error { _ = try await Self.create(pool) }
      #expect(fakes.flatMap(\.calls).map(\.options.timeout).max() == .seconds(10))
    }
  }

  @Test func `a spent budget ends all repeats`() async throws {
    let options = Self.options { $0.retry.budgetTokensMax = 4 }
    try await Self.withPool(options) { _, pool, fakes in
      for fake in fakes { fake.answer = { _ in .failure(Self.lost) } }
      for _ in 0..<5 { #expect(await Self.error { _ = try await Self.get(pool) } == Self.lost) }
      #expect(pool.statistics.retries == 1 && pool.statistics.budgetTokens == 0)
    }
  }

  @Test func `a caller that gives up ends the wait for the next attempt`() async throws {
    let options = Self.options { $0.retry.backoffMin = .seconds(60) }
    try await Self.withPool(options) { loop, pool, fakes in
      for fake in fakes { fake.answer = { _ in .failure(Self.lost) } }
      let call = Task(executorPreference: loop.taskExecutor) {
        await Self.error { _ = try await Self.get(pool, CallOptions(timeout: .seconds(600))) }
      }
      try await Self.until(loop) { !fakes.allSatisfy(\.calls.isEmpty) }
      call.cancel()
      #expect(await call.value?.code == .cancelled)
    }
  }

  // MARK: Hedging

  @Test func `a slow idempotent call is made at a second server, whose answer counts`() async throws {
    let options = Self.options { $0.retry.hedgingDelay = .milliseconds(1) }
    try await Self.withPool(options) { _, pool, fakes in
      fakes[0].answer = { _ in nil }
      for _ in 0..<2 { try await Self.expectOrder { try await Self.get(pool) } }
      #expect(!fakes[0].calls.isEmpty && fakes[0].calls.allSatisfy(\.isCompleted), "the slow attempt is given up")
      #expect(pool.statistics.hedges == UInt64(fakes[0].calls.count) && pool.statistics.calls == 2)
      #expect(fakes[1].calls.contains { $0.options.metadata["attempt"] == "2" })
    }
  }

  @Test func `a call whose repeat may do harm is not hedged`() async throws {
    let options = Self.options { $0.retry.hedgingDelay = .milliseconds(1) }
    try await Self.withPool(options) { loop, pool, fakes in
      for fake in fakes { fake.answer = { _ in nil } }
      let call = Task(executorPreference: loop.taskExecutor) { await Self.error { _ = try await Self.create(pool) } }
      try await loop.sleep(for: .milliseconds(20))
      #expect(fakes.flatMap(\.calls).count == 1 && pool.statistics.hedges == 0)
      call.cancel()
      #expect(await call.value?.code == .cancelled)
    }
  }

  @Test func `an attempt that fails early is followed by the hedge at once, and two failures by the error`()
    async throws
  {
    let options = Self.options { $0.retry.hedgingDelay = .seconds(60) }
    try await Self.withPool(options) { _, pool, fakes in
      for fake in fakes { fake.answer = { _ in .failure(Self.lost) } }
      #expect(await Self.error { _ = try await Self.get(pool) } == Self.lost)
      #expect(fakes.map(\.calls.count) == [1, 1])
      fakes[1].answer = { _ in .success(Self.found) }
      for _ in 0..<2 { try await Self.expectOrder { try await Self.get(pool) } }
    }
  }

  // MARK: Connections

  @Test func `a call waits while a connection is being made, and the wait is counted`() async throws {
    try await Self.withPool(state: .connecting) { loop, pool, fakes in
      let call = Task(executorPreference: loop.taskExecutor) { try await Self.create(pool) }
      try await Self.until(loop) { pool.statistics.queued > 0 }
      try await loop.sleep(for: .milliseconds(2))
      fakes[0].state = .waiting(Self.refused)
      fakes[1].state = .ready
      try await Self.expectOrder { try await call.value }
      #expect(fakes[1].calls.count == 1 && pool.statistics.queueTime > .zero)
    }
  }

  @Test func `calls fail when every server has refused, but for those that wait for ready`() async throws {
    try await Self.withPool(state: .connecting) { loop, pool, fakes in
      let hasty = Task(executorPreference: loop.taskExecutor) { await Self.error { _ = try await Self.create(pool) } }
      let patient = Task(executorPreference: loop.taskExecutor) {
        try await Self.create(pool, CallOptions(waitsForReady: true))
      }
      try await Self.until(loop) { pool.statistics.queued == 2 }
      for fake in fakes { fake.state = .waiting(Self.refused) }
      #expect(await hasty.value == Self.refused)
      #expect(await Self.error { _ = try await Self.create(pool) } == Self.refused)
      fakes[0].state = .ready
      try await Self.expectOrder { try await patient.value }
    }
  }

  @Test func `calls that a server never saw go elsewhere, also those that must not be repeated`() async throws {
    try await Self.withPool { loop, pool, fakes in
      for fake in fakes { fake.answer = { _ in nil } }
      let calls = (0..<4).map { _ in Task(executorPreference: loop.taskExecutor) { try await Self.create(pool) } }
      try await Self.until(loop) { fakes.map(\.calls.count) == [2, 2] }
      for fake in fakes { fake.answer = { _ in .success(Self.found) } }
      for call in fakes[1].calls { fakes[1].complete(call, .success(Self.found)) }
      fakes[0].goAway()
      for call in calls { try await Self.expectOrder { try await call.value } }
      #expect(pool.statistics.moves == 2 && pool.statistics.retries == 0 && fakes[1].calls.count == 4)
    }
  }

  @Test func `calls that nobody has seen wait for a server to come back`() async throws {
    try await Self.withPool { loop, pool, fakes in
      fakes[1].state = .waiting(Self.refused)
      fakes[0].answer = { _ in nil }
      let call = Task(executorPreference: loop.taskExecutor) { try await Self.create(pool) }
      try await Self.until(loop) { !fakes[0].calls.isEmpty }
      fakes[0].goAway()
      #expect(pool.statistics.queued == 1)
      fakes[1].state = .ready
      try await Self.expectOrder { try await call.value }
    }
  }

  @Test func `a stream that nobody has seen fails when no server is there`() async throws {
    try await Self.withPool { loop, pool, fakes in
      fakes[1].state = .waiting(Self.refused)
      fakes[0].answer = { _ in nil }
      let call = ServerClient(pool).watchHealth(WatchHealthRequest())
      try await Self.until(loop) { !fakes[0].calls.isEmpty }
      fakes[0].goAway()
      let error = await Self.error { _ = try await call.next(atMost: .seconds(60)) }
      #expect(error?.code == .unavailable && pool.statistics.queued == 0)
    }
  }

  @Test func `the loss of the last connection sends for the servers that were away`() async throws {
    try await Self.withPool { _, pool, fakes in
      fakes[1].state = .waiting(Self.refused)
      #expect(fakes.map(\.nudges) == [0, 0])
      fakes[0].state = .waiting(Self.lost)
      #expect(fakes.map(\.nudges) == [0, 1])
    }
  }

  // MARK: Interceptors

  /// Adds a metadata pair, refuses what it is told to, and keeps how calls ended.
  final class Recorder: ClientInterceptor {
    let ends = Locked<[String]>([])

    func callBegan(_ call: inout OutgoingCall) throws(RPCError) {
      if call.options.metadata["refuse"] != nil { throw RPCError(.permissionDenied, "not from here") }
      call.options.metadata["added"] = "yes"
    }

    func callEnded(_ call: OutgoingCall, _ status: StatusCode, after duration: Duration) {
      ends.withLock { $0.append("\(call.methodName) \(status.name) \(call.options.metadata["added"] ?? "no")") }
    }
  }

  @Test func `interceptors add to calls, refuse them, and see each end once`() async throws {
    let recorder = Recorder()
    try await Self.withPool(Self.options { $0.interceptors = [recorder] }) { _, pool, fakes in
      fakes[0].answer = { _ in .failure(Self.lost) }
      for _ in 0..<2 { _ = try await Self.get(pool) }
      #expect(fakes.flatMap(\.calls).allSatisfy { $0.options.metadata["added"] == "yes" })
      let refusal = await Self.error { _ = try await Self.get(pool, CallOptions(metadata: ["refuse": "1"])) }
      #expect(refusal?.code == .permissionDenied)
      fakes[1].answer = { _ in .failure(RPCError(.notFound, "no")) }
      _ = await Self.error { _ = try await Self.get(pool) }
    }
    let name = "gozon.orders.Orders/GetOrder"
    #expect(recorder.ends.withLock { $0 } == ["\(name) OK yes", "\(name) OK yes", "\(name) NOT_FOUND yes"])
  }
}
