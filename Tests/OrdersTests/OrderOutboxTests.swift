import API
import EventLoop
import Messaging
import Postgres
import Service
import TestSupport
import Testing
import Wire

@testable import Orders

@Suite struct OrderOutboxTests {
  private static func withOutbox(
    _ body: @escaping @Sendable (OrderStore, OrderOutbox, PostgresPool) async throws -> Void
  ) async throws {
    try await TestDatabase.withPool(try TestDatabase.make("outbox"), service: "orders") { pool in
      try await body(OrderStore(pool), outbox(pool), pool)
    }
  }

  private static func outbox(_ pool: PostgresPool) -> OrderOutbox {
    OrderOutbox(loop: pool.loop, pool: pool, log: Log(service: "test", level: .error))
  }

  private static func created(
    _ store: OrderStore, _ count: Int, slot: Int16 = 0, traceparent: String? = nil
  ) async throws -> [NewOrder] {
    var orders = (0..<count).map { _ in OrderStoreTests.order() }
    for index in orders.indices { orders[index].traceparent = traceparent }
    _ = try await store.create(orders, slot: OutboxSlot(slot))
    return orders
  }

  private static func count(_ pool: PostgresPool, _ statement: StaticString) async throws -> Int64 {
    try await pool.query(Statement(statement)).single().value(0)
  }

  @Test func `what has no result when its slot is swept is sent again, and the slot is empty`() async throws {
    try await Self.withOutbox { store, outbox, pool in
      let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      let orders = try await Self.created(store, 10, slot: 2, traceparent: trace)
      let others = try await Self.created(store, 3, slot: 1)
      try await store.settle(orders[..<6].map { OrderSettled(orderId: $0.id, outcome: .charged, settledAt: .now) })
      #expect(try await outbox.takeDue(countMax: 100).isEmpty)
      #expect(try await outbox.truncate(OutboxSlot(2)))
      #expect(try await Self.count(pool, "SELECT count(*) FROM outbox WHERE slot = 2") == 0)
      let due = try await outbox.takeDue(countMax: 100)
      let wanted = orders[6...].map(\.event)
      #expect(due.sorted { $0.id < $1.id } == wanted.sorted { $0.id < $1.id })
      #expect(due.first?.traceparent == trace)
      #expect(try await outbox.takeDue(countMax: 100).isEmpty, "put off")
      #expect(try await Self.count(pool, "SELECT count(*) FROM outbox WHERE slot = 1") == Int64(others.count))
      // Answered, they are forgotten.
      try await store.settle(orders[6...].map { OrderSettled(orderId: $0.id, outcome: .noAccount, settledAt: .now) })
      #expect(try await Self.count(pool, "SELECT count(*) FROM resends") == 0)
    }
  }

  @Test func `a slot that somebody holds is read and not truncated, and loses nothing`() async throws {
    try await Self.withOutbox { store, outbox, pool in
      let orders = try await Self.created(store, 5, slot: 3)
      try await pool.withTransaction { transaction in
        _ = try await transaction.query(Statement("LOCK TABLE outbox_3 IN ACCESS SHARE MODE"))
        #expect(try await !outbox.truncate(OutboxSlot(3)))
        try await pool.execute(OrderOutbox.move(OutboxSlot(3)))
      }
      #expect(try await outbox.takeDue(countMax: 100).count == 5)
      #expect(try await Self.count(pool, "SELECT count(*) FROM outbox") == 5)
      // Once more, when it is free: what is asked about already is not asked about twice.
      #expect(try await outbox.truncate(OutboxSlot(3)))
      #expect(try await Self.count(pool, "SELECT count(*) FROM outbox") == 0)
      #expect(try await Self.count(pool, "SELECT count(*) FROM resends") == Int64(orders.count))
    }
  }

  @Test func `a transaction that is late with its orders keeps them, whoever sweeps meanwhile`() async throws {
    try await Self.withOutbox { store, outbox, pool in
      let late = OrderStoreTests.order()
      let swept = try await pool.withTransaction { transaction in
        _ = try await transaction.query(
          Statement(
            """
            INSERT INTO orders (id, user_id, amount, currency, description, status, created_at, updated_at)
            VALUES ($1, $1, 1, 'RUB', '', 1, now(), now())
            """, late.id))
        _ = try await transaction.query(Statement("INSERT INTO outbox (slot, id) VALUES (0, $1)", late.id))
        _ = try await Self.created(store, 1, slot: 0)
        let sweeping = Task(executorPreference: pool.loop.taskExecutor) { try await outbox.truncate(OutboxSlot(0)) }
        try await pool.loop.sleep(for: .milliseconds(200))
        return sweeping
      }
      #expect(try await swept.value)
      #expect(try await outbox.takeDue(countMax: 100).contains { $0.orderID == late.id })
    }
  }

  @Test func `a question that was answered while it was put off is not asked again`() async throws {
    try await Self.withOutbox { store, outbox, pool in
      let orders = try await Self.created(store, 4)
      _ = try await store.requestCancel(orders[2...].map { CancelRequest(orderID: $0.id) }, at: .now)
      try await store.settle(
        orders.map {
          OrderSettled(orderId: $0.id, outcome: $0.id == orders[3].id ? .cancelled : .charged, settledAt: .now)
        })
      // As a sweep does that saw the orders before.
      try await pool.execute(
        Statement(
          """
          INSERT INTO resends (id, cancels, due_at) SELECT id, id <> ALL($2), now() FROM unnest($1::uuid[]) AS id
          ON CONFLICT (id) DO UPDATE SET due_at = now()
          """, orders.map(\.id), orders[..<2].map(\.id)))
      // Paid, and to be refunded: that is asked.
      #expect(try await outbox.takeDue(countMax: 100).map(\.orderID) == [orders[2].id])
      #expect(try await Self.count(pool, "SELECT count(*) FROM resends") == 1)
    }
  }

  @Test func `relays that share a table get each event once`() async throws {
    try await Self.withOutbox { store, outbox, pool in
      let orders = try await Self.created(store, 200)
      #expect(try await outbox.truncate(OutboxSlot(0)))
      let taken = try await withThrowingTaskGroup(of: [OutgoingEvent].self) { group in
        for _ in 0..<4 {
          group.addTask {
            let outbox = Self.outbox(pool)
            var mine: [OutgoingEvent] = []
            while true {
              let batch = try await outbox.takeDue(countMax: 7)
              if batch.isEmpty { return mine }
              #expect(batch.count <= 7)
              mine += batch
            }
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(taken.map(\.orderID).sorted() == orders.map(\.id).sorted())
    }
  }

  @Test func `an event is put off for twice as long each time, up to a minute and some`() async throws {
    try await Self.withOutbox { store, outbox, pool in
      for (attempts, seconds) in [(0, 5.0), (1, 10), (2, 20), (3, 40), (4, 60), (9, 60), (1_000_000, 60)]
        as [(Int32, Double)]
      {
        let order = try await Self.created(store, 1)[0]
        #expect(try await outbox.truncate(OutboxSlot(0)))
        try await pool.execute(Statement("UPDATE resends SET attempts = $1 WHERE id = $2", attempts, order.id))
        #expect(try await outbox.takeDue(countMax: 10).map(\.orderID) == [order.id])
        let row = try await pool.query(
          Statement(
            "SELECT attempts, (extract(epoch FROM due_at - now()) * 1000)::bigint FROM resends WHERE id = $1", order.id)
        ).single()
        let (tries, wait) = try row.values((Int32, Int64).self)
        #expect(tries == attempts + 1)
        #expect((seconds * 800 - 500...seconds * 1_200).contains(Double(wait)), "\(wait) ms after \(attempts) attempts")
      }
    }
  }

  @Test func `a process that begins asks again about what was left behind`() async throws {
    try await Self.withOutbox { store, outbox, pool in
      let orders = try await withThrowingTaskGroup(of: [NewOrder].self) { group in
        for slot in 0..<4 as Range<Int16> { group.addTask { try await Self.created(store, 2, slot: slot) } }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await outbox.run() }
        defer { outbox.beginGracefulShutdown() }
        let deadline = pool.loop.now + .seconds(4)
        while try await Self.count(pool, "SELECT count(*) FROM resends") < Int64(orders.count) {
          try #require(pool.loop.now < deadline, "not in time")
          try await pool.loop.sleep(for: .milliseconds(10))
        }
      }
    }
  }

  @Test func `slots follow each other, and the one to be swept is at rest`() {
    for turn in 0..<20 as Range<Int64> {
      let start = turn * OutboxSlot.seconds * 1_000_000
      let slot = OutboxSlot(at: Timestamp(microseconds: start))
      #expect(slot.number == Int16(turn % 4))
      #expect(OutboxSlot(at: Timestamp(microseconds: start + OutboxSlot.seconds * 1_000_000 - 1)) == slot)
      let restedFor = (turn - OutboxSlot.turn(at: Timestamp(microseconds: start - 1))) * OutboxSlot.seconds
      #expect(slot.toBeSwept.number == Int16((turn + 2) % 4) && restedFor <= OutboxSlot.seconds)
    }
    #expect(OutboxSlot(at: Timestamp(microseconds: -1)).number == 0)
  }
}
