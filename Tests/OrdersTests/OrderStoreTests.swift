import API
import EventLoop
import Idempotency
import Messaging
import Postgres
import TestSupport
import Testing
import Wire

@testable import Orders

@Suite struct OrderStoreTests {
  private static let database = Result { try TestDatabase.make("order_store") }

  private static func withStore(
    _ body: @escaping @Sendable (OrderStore, PostgresPool) async throws -> Void
  ) async throws {
    try await TestDatabase.withPool(try database.get(), service: "orders") { try await body(OrderStore($0), $0) }
  }

  /// An order of a user of its own.
  static func order(
    _ id: UUID? = nil, user: UUID = .random(), amount: Int64 = 10, key: (String, [UInt8])? = nil,
    at time: Timestamp = .now
  ) -> NewOrder {
    NewOrder(
      id: id ?? .random(), userID: user, amount: amount, currency: "RUB", description: "d",
      createdAt: time, idempotency: key.map { keyed($0.0, $0.1) }, traceparent: nil)
  }

  static func keyed(_ key: String, _ request: [UInt8] = [1]) -> IdempotentRequest {
    IdempotentRequest(IdempotencyKey(key, method: "CreateOrder"), request: request)
  }

  private static func outbox(_ pool: PostgresPool, _ id: UUID) async throws -> Int64 {
    try await pool.query(Statement("SELECT count(*) FROM outbox WHERE id = $1", id)).single().value(0)
  }

  @Test func `a batch is taken with its events, and reads back as it was`() async throws {
    try await Self.withStore { store, pool in
      let orders = (0..<50).map { Self.order($0 % 2 == 0 ? .random() : nil, amount: Int64($0 + 1)) }
      let created = try await store.create(orders, slot: OutboxSlot(0))
      #expect(created == Set(orders.map(\.id)))
      let found = try await store.orders(orders.map(\.id) + [.random()])
      #expect(found == Dictionary(uniqueKeysWithValues: orders.map { ($0.id, $0.order) }))
      #expect(try await store.order(orders[3].id) == orders[3].order)
      #expect(try await store.order(.random()) == nil)
      for order in orders { #expect(try await Self.outbox(pool, order.id) == 1) }
    }
  }

  @Test func `of orders that exist, only the new ones are taken`() async throws {
    try await Self.withStore { store, pool in
      let old = Self.order(.random())
      _ = try await store.create([old], slot: OutboxSlot(0))
      var other = old
      other.amount = 99
      let new = Self.order(.random())
      #expect(try await store.create([other, new], slot: OutboxSlot(0)) == [new.id])
      #expect(try await store.order(old.id) == old.order)
      #expect(try await Self.outbox(pool, old.id) == 1)
    }
  }

  @Test func `an Idempotency-Key takes one order, and an order that is not taken leaves its key free`() async throws {
    try await Self.withStore { store, _ in
      let key = "key-\(UUID.random())"
      let first = Self.order(key: (key, [1, 2]))
      let second = Self.order(key: (key, [1, 2]))
      let third = Self.order(first.id, key: ("free-\(key)", [1, 2]))
      #expect(try await store.create([first], slot: OutboxSlot(0)) == [first.id])
      #expect(try await store.create([second, third], slot: OutboxSlot(0)) == [])
      #expect(try await store.order(second.id) == nil)
      let kept = try await store.keyed(["another", key, "free-\(key)"].map { Self.keyed($0).key })
      #expect(kept.verdict(on: Self.keyed(key, [1, 2])) == .isRepeat(response: first.order.encoded()))
      #expect(kept.verdict(on: Self.keyed(key, [1])) == .isAnother)
      #expect(kept.verdict(on: Self.keyed("another")) == .isNew)
      #expect(kept.verdict(on: third.idempotency) == .isNew)
    }
  }

  @Test func `one key at fifty transactions at once takes one order`() async throws {
    try await Self.withStore { store, pool in
      let (user, key) = (UUID.random(), "key-\(UUID.random())")
      let taken = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<50 {
          group.addTask {
            try await repeatingHarmlessly(on: pool.loop, isSafeWhenUnknown: false) {
              try await store.create([Self.order(user: user, key: (key, [1]))], slot: OutboxSlot(0)).count
            }
          }
        }
        return try await group.reduce(0, +)
      }
      #expect(taken == 1)
      let count: Int64 = try await pool.query(
        Statement("SELECT count(*) FROM orders WHERE user_id = $1", user)
      ).single().value(0)
      #expect(count == 1)
    }
  }

  @Test func `settling writes the result down, lets the question go, and repeats do no harm`() async throws {
    try await Self.withStore { store, pool in
      let orders = (0..<4).map { _ in Self.order(.random()) }
      _ = try await store.create(orders, slot: OutboxSlot(0))
      try await pool.execute(OrderOutbox.move(OutboxSlot(0)))
      let time = Timestamp(microseconds: Timestamp.now.microseconds + 1_000_000)
      let events = zip(orders, ChargeOutcome.allCases).map {
        OrderSettled(orderId: $0.id, userId: $0.userID, outcome: $1, settledAt: time)
      }
      try await store.settle(events + [OrderSettled(orderId: .random())])
      let settled = try await store.orders(orders.map(\.id))
      for event in events {
        let order = try #require(settled[event.orderId])
        let (status, reason) = OrderRules.settlement(of: event)
        #expect(order.status == status && order.reason == reason && order.updatedAt == time)
        let left = try await pool.query(Statement("SELECT FROM resends WHERE id = $1", order.id))
        #expect(left.isEmpty)
      }
      // A repeat, and a contradiction that must not be believed.
      try await store.settle(events + events)
      try await store.settle(events.map { OrderSettled(orderId: $0.orderId, outcome: .noAccount, settledAt: .now) })
      #expect(try await store.orders(orders.map(\.id)) == settled)
    }
  }

  @Test func `an order is never updated before it was taken, whatever the clocks say`() async throws {
    try await Self.withStore { store, _ in
      let order = Self.order(.random())
      _ = try await store.create([order], slot: OutboxSlot(0))
      try await store.settle([OrderSettled(orderId: order.id, outcome: .charged, settledAt: .zero)])
      let settled = try #require(try await store.order(order.id))
      #expect(settled.status == .finished && settled.updatedAt == settled.createdAt)
    }
  }

  @Test func `settling rewrites an order in place, on the page where it stands`() async throws {
    try await TestDatabase.withPool(try TestDatabase.make("order_hot"), service: "orders") { pool in
      let store = OrderStore(pool)
      let pages = Statement("SELECT id, (ctid::text::point)[0]::bigint FROM orders ORDER BY id")
      let orders = (0..<1_000).map { _ in Self.order() }
      _ = try await store.create(orders, slot: OutboxSlot(0))
      let before = try await pool.query(pages).map { try $0.values((UUID, Int64).self) }
      for start in stride(from: 0, to: orders.count, by: 100) {
        let batch = orders[start..<(start + 100)]
        try await store.settle(batch.map { OrderSettled(orderId: $0.id, outcome: .charged, settledAt: .now) })
      }
      let after = try await pool.query(pages).map { try $0.values((UUID, Int64).self) }
      let moved = zip(before, after).count { $0 != $1 }
      #expect(moved < 100, "\(moved) of 1000 orders moved")
    }
  }

  @Test func `the database refuses what the rules forbid`() async throws {
    try await Self.withStore { store, pool in
      for (amount, currency) in [(0, "RUB"), (9_007_199_254_740_992, "RUB"), (1, "rub"), (1, "")] as [(Int64, String)] {
        var order = Self.order()
        (order.amount, order.currency) = (amount, currency)
        let error = await #expect(throws: PostgresError.self) { try await store.create([order], slot: OutboxSlot(0)) }
        #expect(error?.sqlState == .checkViolation && error?.isRefusalOfValues == true)
      }
      let order = Self.order()
      _ = try await store.create([order], slot: OutboxSlot(0))
      for wrong in [
        "UPDATE orders SET status = 3, reason = NULL WHERE id = $1", "UPDATE orders SET reason = 1 WHERE id = $1",
        "UPDATE orders SET updated_at = created_at - interval '1 s' WHERE id = $1",
      ] as [StaticString] {
        await #expect(throws: PostgresError.self) { try await pool.execute(Statement(wrong, order.id)) }
      }
    }
  }
}

extension UUID {
  /// An id that nothing else has.
  static func random() -> UUID { UUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
}
