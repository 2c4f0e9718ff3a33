import API
import Idempotency
import Messaging
import Postgres
import Service
import TestSupport
import Testing
import Wire

@testable import Orders

/// Cancellations and their answers, in every order, on a real database.
@Suite struct OrderCancelStoreTests {
  private static let database = Result { try TestDatabase.make("order_cancel") }
  /// After every order of these tests, however slow the machine is.
  private static let first = Timestamp(microseconds: Timestamp.now.microseconds + 3_600_000_000)
  private static let second = Timestamp(microseconds: first.microseconds + 1_000_000)

  private static func withStore(
    _ body: @escaping @Sendable (OrderStore, PostgresPool) async throws -> Void
  ) async throws {
    try await TestDatabase.withPool(try database.get(), service: "orders") { try await body(OrderStore($0), $0) }
  }

  /// Orders whose charge had no result in time.
  private static func created(_ store: OrderStore, _ pool: PostgresPool, _ count: Int = 1) async throws -> [NewOrder] {
    let orders = (0..<count).map { _ in OrderStoreTests.order() }
    _ = try await store.create(orders, slot: OutboxSlot(0))
    try await pool.execute(
      Statement("INSERT INTO resends (id, cancels, due_at) SELECT unnest($1::uuid[]), false, now()", orders.map(\.id)))
    return orders
  }

  private static func cancel(
    _ store: OrderStore, _ ids: [UUID], at time: Timestamp = second
  ) async throws -> [UUID: Order] {
    let outcomes = try await store.requestCancel(ids.map { CancelRequest(orderID: $0) }, at: time)
    return Dictionary(outcomes.compactMap(\.order).map { ($0.id, $0) }) { _, last in last }
  }

  /// What payments is asked about an order; nil when nothing.
  private static func question(_ pool: PostgresPool, _ id: UUID) async throws -> String? {
    let cancels: Bool? = try await pool.query(Statement("SELECT cancels FROM resends WHERE id = $1", id)).first?.value(
      0)
    return cancels.map { $0 ? OrderCancelled.fullName : OrderCreated.fullName }
  }

  private static func answer(
    _ order: UUID, _ outcome: ChargeOutcome, refundedAt: Timestamp? = nil
  ) -> OrderSettled {
    OrderSettled(orderId: order, outcome: outcome, settledAt: first, refundedAt: refundedAt)
  }

  private static func kinds(_ store: OrderStore, _ id: UUID) async throws -> [OrderEventKind] {
    try #require(try await store.timeline(of: id)).map(\.kind)
  }

  @Test func `a cancellation is put on record with its event, in place of the charge's`() async throws {
    try await Self.withStore { store, pool in
      let orders = try await Self.created(store, pool, 3)
      let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      let asked = try await store.requestCancel(
        [CancelRequest(orderID: orders[0].id, traceparent: trace), CancelRequest(orderID: .random())],
        at: Self.second)
      #expect(asked.count == 2 && asked[1] == .noOrder)
      let order = try #require(asked[0].order)
      #expect(order.status == .new && order.cancelRequestedAt == Self.second)
      #expect(try await store.order(order.id) == order)
      let row = try await pool.query(
        Statement("SELECT cancels, traceparent, attempts, due_at > now() FROM resends WHERE id = $1", order.id)
      ).single()
      let (cancels, traceparent, attempts, isLater) = try row.values((Bool, String?, Int32, Bool).self)
      #expect(cancels && traceparent == trace && attempts == 0 && isLater)
      // The same event goes out at once and out of the table.
      try await pool.execute(
        Statement(
          "UPDATE resends SET due_at = now() + CASE id WHEN $1 THEN interval '-1 h' ELSE interval '1 h' END", order.id))
      let outbox = OrderOutbox(loop: pool.loop, pool: pool, log: Log(service: "test", level: .error))
      let due = try await outbox.takeDue(countMax: 1)
      #expect(due == [order.cancelled.event(traceparent: trace)] && due[0].id == "\(order.id).cancelled")
      #expect(due[0].subject == EventSubject.subject(EventSubject.orderCancelled, of: order.userId))
      #expect(try await Self.question(pool, orders[1].id) == OrderCreated.fullName, "the others are left alone")
    }
  }

  @Test func `asked again, a cancellation stays as it was asked for first`() async throws {
    try await Self.withStore { store, pool in
      let order = try await Self.created(store, pool)[0]
      let asked = try await withThrowingTaskGroup(of: [UUID: Order].self) { group in
        for number in 0..<20 {
          group.addTask {
            let time = Timestamp(microseconds: Self.second.microseconds + Int64(number))
            return try await Self.cancel(store, [order.id, order.id], at: time)
          }
        }
        return try await group.reduce(into: []) { $0.append($1[order.id]) }
      }
      #expect(Set(asked.map { $0?.cancelRequestedAt }).count == 1)
      #expect(try await Self.kinds(store, order.id) == [.created, .cancelRequested])
    }
  }

  @Test func `a key is written with the cancellation, and refuses another order`() async throws {
    try await Self.withStore { store, pool in
      let orders = try await Self.created(store, pool, 2)
      let key = IdempotencyKey("k-\(UUID.random())", method: "CancelOrder")
      let requests = orders.enumerated().map { index, order in
        CancelRequest(orderID: order.id, idempotency: IdempotentRequest(key, request: [UInt8(index)]))
      }
      let first = try await store.requestCancel([requests[0], requests[0], requests[1]], at: .now)
      let order = try #require(try await store.order(orders[0].id))
      #expect(order.cancelRequestedAt != nil)
      #expect(first == [.recorded(order), .replayed(order), .keyReused])
      #expect(try await store.order(orders[1].id)?.cancelRequestedAt == nil)
      // What is known by then is the answer, for ever.
      try await store.settle([Self.answer(order.id, .cancelled)])
      let settled = try #require(try await store.order(order.id))
      #expect(settled.status == .cancelled)
      #expect(try await store.requestCancel(requests, at: Self.second) == [.replayed(settled), .keyReused])
    }
  }

  @Test func `a key that is taken meanwhile for another order is found by whoever comes second`() async throws {
    try await Self.withStore { store, pool in
      for _ in 0..<20 {
        let orders = try await Self.created(store, pool, 2)
        let key = IdempotencyKey("k-\(UUID.random())", method: "CancelOrder")
        let outcomes = try await withThrowingTaskGroup(of: CancelOutcome.self) { group in
          for (index, order) in orders.enumerated() {
            group.addTask {
              let own = IdempotentRequest(key, request: [UInt8(index)])
              return try await repeatingHarmlessly(on: pool.loop, isSafeWhenUnknown: true) {
                try await store.requestCancel([CancelRequest(orderID: order.id, idempotency: own)], at: Self.first)[0]
              }
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == .keyReused } == 1 && outcomes.count { $0.order != nil } == 1)
        let cancelled = try await store.orders(orders.map(\.id)).values.count { $0.cancelRequestedAt != nil }
        #expect(cancelled == 1)
      }
    }
  }

  /// Every status that an order can have, brought about the way it comes about, against every answer.
  @Test(arguments: OrderStatus.allCases, ChargeOutcome.allCases)
  func `an order moves as the rules say, whatever it is told`(status: OrderStatus, outcome: ChargeOutcome) async throws
  {
    try await Self.withStore { store, pool in
      for refundedAt in [nil, Self.second] {
        let order = try await Self.created(store, pool)[0]
        if status == .finished || status == .refunded { try await store.settle([Self.answer(order.id, .charged)]) }
        _ = try await Self.cancel(store, [order.id])
        if status == .refunded {
          try await store.settle([Self.answer(order.id, .charged, refundedAt: Self.second)])
        } else if status == .cancelled {
          try await store.settle([Self.answer(order.id, .cancelled)])
        }
        let before = try #require(try await store.order(order.id))
        #expect(before.status == status)
        let answer = Self.answer(order.id, outcome, refundedAt: refundedAt)
        try await store.settle([answer])
        let after = try #require(try await store.order(order.id))
        let next = OrderRules.settlement(of: answer)
        if OrderRules.moves(status, to: next.status) {
          #expect(after.status == next.status && after.reason == next.reason)
        } else {
          #expect(after == before)
        }
        // The question is asked until the order is where it stays. (A charge never changes, so that it was made and was not
        // cannot both be heard.)
        if status == .finished, outcome != .charged { continue }
        #expect((try await Self.question(pool, order.id) != nil) == OrderRules.isBeingCancelled(after))
      }
    }
  }

  @Test func `a paid order that is cancelled is refunded, in whatever order the answers come`() async throws {
    try await Self.withStore { store, pool in
      let paid = { (order: UUID) in Self.answer(order, .charged) }
      let refunded = { (order: UUID) in Self.answer(order, .charged, refundedAt: Self.second) }
      for answers in [
        [[paid, refunded]], [[refunded, paid]], [[paid], [refunded]], [[refunded], [paid]],
        [[paid], [paid, refunded, refunded], [paid]],
      ] {
        let order = try await Self.created(store, pool)[0]
        _ = try await Self.cancel(store, [order.id], at: Self.first)
        for batch in answers { try await store.settle(batch.map { $0(order.id) }) }
        let found = try #require(try await store.order(order.id))
        #expect(found.status == .refunded && found.reason == nil && found.updatedAt == Self.second)
        #expect(try await Self.kinds(store, order.id) == [.created, .cancelRequested, .finished, .refunded])
      }
    }
  }

  @Test func `a timeline is in order, whatever the clocks of the processes say`() async throws {
    try await Self.withStore { store, pool in
      for (outcome, refundedAt) in [(.charged, Timestamp.zero), (.cancelled, nil)] as [(ChargeOutcome, Timestamp?)] {
        let order = try await Self.created(store, pool)[0]
        _ = try await Self.cancel(store, [order.id])
        try await store.settle([
          OrderSettled(orderId: order.id, outcome: outcome, settledAt: .zero, refundedAt: refundedAt)
        ])
        let timeline = try #require(try await store.timeline(of: order.id))
        #expect(timeline.first?.kind == .created && timeline.last?.at == Self.second)
        #expect(timeline.last?.kind == (refundedAt == nil ? .cancelled : .refunded))
        #expect(timeline.last?.reason == (refundedAt == nil ? .cancelledByUser : nil))
        #expect(timeline.map(\.at) == timeline.map(\.at).sorted())
      }
    }
  }

  @Test func `the database refuses a timeline with a gap`() async throws {
    try await Self.withStore { store, pool in
      let order = try await Self.created(store, pool)[0]
      for wrong in [
        "UPDATE orders SET status = 3, reason = 4 WHERE id = $1", "UPDATE orders SET status = 4 WHERE id = $1",
        "UPDATE orders SET status = 4, finished_at = created_at WHERE id = $1",
        "UPDATE orders SET status = 4, cancel_requested_at = created_at WHERE id = $1",
        "UPDATE orders SET cancel_requested_at = created_at - interval '1 s' WHERE id = $1",
        "UPDATE orders SET status = 3, reason = 4, cancel_requested_at = updated_at + interval '1 s' WHERE id = $1",
        """
        UPDATE orders SET status = 4, reason = 4, finished_at = created_at, cancel_requested_at = created_at
        WHERE id = $1
        """,
      ] as [StaticString] {
        let error = await #expect(throws: PostgresError.self) { try await pool.execute(Statement(wrong, order.id)) }
        #expect(error?.sqlState == .checkViolation, "\(wrong)")
      }
      try await pool.execute(
        Statement(
          "UPDATE orders SET status = 4, finished_at = created_at, cancel_requested_at = created_at WHERE id = $1",
          order.id))
    }
  }
}
