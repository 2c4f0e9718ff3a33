import API
import EventLoop
import Idempotency
import Messaging
import Postgres
import RPC
import TestSupport
import Testing
import Wire

@testable import Orders

@Suite struct OrderCancellationTests {
  private static let database = Result { try TestDatabase.make("order_cancellation") }

  /// Orders with nobody behind them: tests answer in place of payments.
  private struct Scene: Sendable {
    let pool: PostgresPool
    let store: OrderStore
    let watch: OrderWatch
    let cancellation: OrderCancellation
    var loop: EventLoop { pool.loop }

    func order() async throws -> NewOrder {
      let order = OrderStoreTests.order()
      _ = try await store.create([order], slot: OutboxSlot(0))
      return order
    }

    func cancel(_ id: UUID, timeout: Duration = .seconds(60)) async throws -> Order? {
      try await cancellation.cancel(CancelRequest(orderID: id), deadline: loop.now + timeout).order
    }

    /// Answers the cancellation of an order once it is on record; a process that watches it learns of it, another does not.
    func answer(_ id: UUID, _ outcome: ChargeOutcome, refundedAt: Timestamp? = nil, isHere: Bool = true) async throws {
      while try await store.order(id)?.cancelRequestedAt == nil { try await loop.sleep(for: .milliseconds(1)) }
      try await store.settle([
        OrderSettled(orderId: id, outcome: outcome, settledAt: .now, refundedAt: refundedAt)
      ])
      if isHere { watch.settled([id]) }
    }
  }

  private static func withScene(_ body: @escaping @Sendable (Scene) async throws -> Void) async throws {
    try await TestDatabase.withPool(try database.get(), service: "orders") { pool in
      let store = OrderStore(pool)
      let watch = OrderWatch(loop: pool.loop)
      let cancellation = OrderCancellation(
        loop: pool.loop, store: store, relay: OrderCreationTests.idleRelay(pool), watch: watch,
        feed: OrderCreationTests.feed(pool))
      try await body(Scene(pool: pool, store: store, watch: watch, cancellation: cancellation))
    }
  }

  @Test(arguments: [true, false])
  func `a cancellation returns with its result, whichever process learns of it`(isHere: Bool) async throws {
    try await Self.withScene { scene in
      let order = try await scene.order()
      async let cancelled = scene.cancel(order.id)
      try await scene.answer(order.id, .cancelled, isHere: isHere)
      let result = try #require(try await cancelled)
      #expect(result.status == .cancelled && result.reason == .cancelledByUser)

      let paid = try await scene.order()
      try await scene.store.settle([OrderSettled(orderId: paid.id, outcome: .charged, settledAt: .now)])
      async let refunded = scene.cancel(paid.id)
      try await scene.answer(paid.id, .charged, refundedAt: .now, isHere: isHere)
      #expect(try await refunded?.status == .refunded)
    }
  }

  @Test func `an order with nothing to cancel comes back as it is`() async throws {
    try await Self.withScene { scene in
      let order = try await scene.order()
      try await scene.store.settle([OrderSettled(orderId: order.id, outcome: .noAccount, settledAt: .now)])
      let before = try await scene.store.order(order.id)
      #expect(try await scene.cancel(order.id) == before)
      #expect(before?.reason == .noAccount && before?.cancelRequestedAt == nil)
      #expect(try await scene.cancel(.random()) == nil)
    }
  }

  @Test func `a result that does not come in time leaves the cancellation on record`() async throws {
    try await Self.withScene { scene in
      let order = try await scene.order()
      let pending = try #require(try await scene.cancel(order.id, timeout: .milliseconds(500)))
      #expect(pending.status == .new && pending.cancelRequestedAt != nil)
      // Who asks again waits for the same cancellation.
      async let again = scene.cancel(order.id)
      try await scene.answer(order.id, .cancelled)
      let result = try await again
      #expect(result?.status == .cancelled && result?.cancelRequestedAt == pending.cancelRequestedAt)
    }
  }

  @Test func `a repeat under a key waits for the result, and gets what the first got`() async throws {
    try await Self.withScene { scene in
      let order = try await scene.order()
      let own = IdempotentRequest(IdempotencyKey("k-\(UUID.random())", method: "CancelOrder"), request: [1])
      let request = CancelRequest(orderID: order.id, idempotency: own)
      @Sendable func cancel(_ timeout: Duration = .seconds(60)) async throws -> CancelOutcome {
        try await scene.cancellation.cancel(request, deadline: scene.loop.now + timeout)
      }
      guard case .recorded(let pending) = try await cancel(.milliseconds(500)) else {
        Issue.record("it is new")
        return
      }
      #expect(pending.status == .new)
      async let again = cancel()
      try await scene.answer(order.id, .cancelled)
      let result = try await again
      let cancelled = try #require(result.order)
      #expect(cancelled.status == .cancelled && result == .replayed(cancelled))
      #expect(try await cancel() == result)
    }
  }

  @Test func `fifty who cancel an order at once all learn its result`() async throws {
    try await Self.withScene { scene in
      let order = try await scene.order()
      let results = try await withThrowingTaskGroup(of: Order?.self) { group in
        for _ in 0..<50 { group.addTask { try await scene.cancel(order.id) } }
        try await scene.answer(order.id, .cancelled)
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(results.count == 50 && Set(results.map { $0?.status }) == [.cancelled])
    }
  }

  @Test func `a caller that gives up leaves nobody waiting`() async throws {
    try await Self.withScene { scene in
      let order = try await scene.order()
      let call = scene.loop.startTask {
        // A CancellationError, or what a look at the order says that was under way.
        await #expect(throws: (any Error).self) { try await scene.cancel(order.id) }
      }
      while try await scene.store.order(order.id)?.cancelRequestedAt == nil {
        try await scene.loop.sleep(for: .milliseconds(1))
      }
      call.cancel()
      await call.value
      #expect(scene.watch.isIdle)
    }
  }
}
