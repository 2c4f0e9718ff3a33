import API
import EventLoop
import Postgres
import TestSupport
import Testing
import Wire

@testable import Orders

@Suite(.serialized) struct ChangeLogTests {
  private static let database = Result { try TestDatabase.make("change_log") }

  private static func count(_ pool: PostgresPool, slot: Int16) async throws -> Int64 {
    try await pool.query(Statement("SELECT count(*) FROM changes WHERE slot = $1", slot)).single().value(0)
  }

  @Test func `what is old goes, what is new moves, and whoever has read misses nothing`() async throws {
    try await TestDatabase.withPool(try Self.database.get(), service: "orders") { pool in
      let store = OrderStore(pool)
      let log = ChangeLog(pool, keepTime: .milliseconds(50))
      let user = UUID.random()
      let old = OrderStoreTests.order(user: user)
      _ = try await store.create([old], slot: OutboxSlot(0))
      let present = try await store.news(since: nil) { _, _ in [] }.present
      // Too little time has passed.
      #expect(try await !log.truncate(OutboxSlot(0), movingTo: OutboxSlot(2)))
      #expect(try await Self.count(pool, slot: 0) == 1)
      let late = OrderStoreTests.order(user: user)
      _ = try await store.create([late], slot: OutboxSlot(0))
      try await pool.loop.sleep(for: .milliseconds(100))
      #expect(try await log.truncate(OutboxSlot(0), movingTo: OutboxSlot(2)))
      #expect(try await Self.count(pool, slot: 0) == 0)
      #expect(try await Self.count(pool, slot: 2) > 0)
      let news = try await store.news(since: present) { _, changes in
        let mine = changes.filter { $0.userID == user }
        #expect(mine.map(\.orderID) == [late.id] && mine.map(\.kind) == [.created])
        return mine.map(\.orderID)
      }
      #expect(news.orders == [late.id: OrderHistory(late.order)])
    }
  }

  @Test func `a slot that somebody copies stays, and is not waited for for long`() async throws {
    try await TestDatabase.withPool(try Self.database.get(), service: "orders") { pool in
      let log = ChangeLog(pool, keepTime: .milliseconds(20))
      _ = try await OrderStore(pool).create([OrderStoreTests.order()], slot: OutboxSlot(1))
      _ = try await log.truncate(OutboxSlot(1), movingTo: OutboxSlot(3))
      try await pool.loop.sleep(for: .milliseconds(60))
      try await pool.withTransaction { transaction in
        _ = try await transaction.query(Statement("LOCK TABLE changes_1 IN ACCESS SHARE MODE"))
        #expect(try await !log.truncate(OutboxSlot(1), movingTo: OutboxSlot(3)))
      }
      #expect(try await Self.count(pool, slot: 1) == 1)
    }
  }

  @Test func `a look that begins while a slot is emptied misses nothing that moves`() async throws {
    try await TestDatabase.withPool(try Self.database.get(), service: "orders") { pool in
      let (store, user) = (OrderStore(pool), UUID.random())
      let present = try await store.news(since: nil) { _, _ in [] }.present
      let order = OrderStoreTests.order(user: user)
      _ = try await store.create([order], slot: OutboxSlot(0))
      let look = try await pool.withTransaction { transaction in
        _ = try await transaction.query(Statement("LOCK TABLE changes_0 IN ACCESS EXCLUSIVE MODE"))
        _ = try await transaction.query(
          Statement(
            """
            INSERT INTO changes (slot, xid, order_ids, user_ids, kinds)
            SELECT 2, xid, order_ids, user_ids, kinds FROM changes WHERE slot = 0
            """))
        _ = try await transaction.query(Statement("TRUNCATE changes_0"))
        let look = Task.immediate(executorPreference: pool.loop.taskExecutor) {
          let found = Locked<[UUID]>([])
          _ = try await store.news(since: present) { _, changes in
            found.withLock { $0 = changes.filter { $0.userID == user }.map(\.orderID) }
            return []
          }
          return found.withLock { $0 }
        }
        try await pool.loop.sleep(for: .milliseconds(100))
        return look
      }
      #expect(try await look.value == [order.id])
    }
  }

  @Test func `every change is on record with the transaction that made it`() async throws {
    try await TestDatabase.withPool(try Self.database.get(), service: "orders") { pool in
      let store = OrderStore(pool)
      let (user, orders) = (UUID.random(), (0..<3).map { _ in OrderStoreTests.order() })
      let mine = OrderStoreTests.order(user: user)
      let before = try await store.news(since: nil) { _, _ in [] }.present
      _ = try await store.create(orders + [mine], slot: OutboxSlot(at: .now))
      _ = try await store.create(orders + [mine], slot: OutboxSlot(at: .now))
      _ = try await store.requestCancel([CancelRequest(orderID: mine.id)], at: .now)
      let outcomes: [ChargeOutcome] = [.charged, .noAccount, .charged]
      for _ in 0..<2 {
        try await store.settle(
          zip(orders, outcomes).map { OrderSettled(orderId: $0.id, outcome: $1, settledAt: .now) }
            + [OrderSettled(orderId: mine.id, outcome: .charged, settledAt: .now, refundedAt: .now)])
      }
      let all = Set((orders + [mine]).map(\.id))
      _ = try await store.news(since: before) { _, changes in
        let changes = changes.filter { all.contains($0.orderID) }
        let kinds = Dictionary(grouping: changes, by: \.orderID).mapValues { $0.map(\.kind) }
        #expect(kinds[orders[0].id] == [.created, .finished] && kinds[orders[1].id] == [.created, .cancelled])
        #expect(kinds[mine.id] == [.created, .cancelRequested, .refunded])
        #expect(changes.filter { $0.userID == user }.map(\.orderID) == Array(repeating: mine.id, count: 3))
        #expect(Set(changes.map(\.transaction)).count == 3 && changes.count == 9)
        return []
      }
    }
  }
}
