import API
import EventLoop
import class Foundation.FileManager
import func Foundation.NSTemporaryDirectory
import Messaging
import Postgres
import TestSupport
import Testing
import Wire

@testable import Payments

/// Charges and cancellations of the same orders, from two replicas, on a real database.
@Suite struct CancelStoreTests {
  private static let database = Result { try TestDatabase.make("cancel_store") }

  private static func withReplicas(_ body: @escaping @Sendable ([PaymentStore], PostgresPool) async throws -> Void)
    async throws
  {
    let url = try database.get()
    try await onLoop { loop in
      try await TestDatabase.withPool(url, service: "payments", on: loop) { first in
        try await TestDatabase.withPool(url, service: "payments", on: loop) { second in
          try await body([PaymentStore(first), PaymentStore(second)], first)
        }
      }
    }
  }

  private static func created(_ user: UUID, _ amount: Int64 = 10) -> OrderCreated {
    OrderCreated(orderId: .random(), userId: user, amount: amount, currency: "RUB", createdAt: .now)
  }

  private static func cancelled(_ order: OrderCreated) -> OrderCancelled {
    OrderCancelled(
      orderId: order.orderId, userId: order.userId, amount: order.amount, currency: order.currency, requestedAt: .now)
  }

  @Test func `a charge is refunded once, to the microsecond, and the statement shows both`() async throws {
    try await Self.withReplicas { stores, pool in
      let user = try await PaymentStoreTests.user(stores[0], balance: 100)
      let order = Self.created(user, 60)
      let charged = try await stores[0].settle([order], at: .now)[0]
      #expect(charged.outcome == .charged && charged.refundedAt == nil)
      let refunded = try await stores[0].cancel([Self.cancelled(order)], at: .now)[0]
      #expect(refunded.refundedAt != nil && refunded.settledAt == charged.settledAt)
      #expect(try await stores[1].cancel([Self.cancelled(order)], at: .now) == [refunded])
      #expect(try await stores[1].settle([order], at: .now) == [refunded], "the charge that comes again knows as well")
      #expect(try await stores[0].account(of: user)?.balance == 100)
      let entries = try await stores[0].entries(of: user, below: .max, countMax: 10)
      #expect(entries.map(\.kind) == [.refund, .charge, .deposit] && entries.map(\.amount) == [60, -60, 100])
      #expect(entries.prefix(2).allSatisfy { $0.orderId == order.orderId && $0.depositId == nil })
      try await PaymentStoreTests.audit(pool, user)
    }
  }

  @Test func `a cancellation that comes first leaves nothing to charge, with an account and without`() async throws {
    try await Self.withReplicas { stores, pool in
      let user = try await PaymentStoreTests.user(stores[0], balance: 100)
      for user in [user, UUID.random()] {
        let order = Self.created(user)
        let first = try await stores[0].cancel([Self.cancelled(order)], at: .now)
        #expect(first.map(\.outcome) == [.cancelled] && first[0].refundedAt == nil)
        #expect(try await stores[1].settle([order], at: .now) == first)
        #expect(try await stores[1].cancel([Self.cancelled(order)], at: .now) == first)
      }
      #expect(try await stores[0].account(of: user)?.balance == 100)
      try await PaymentStoreTests.audit(pool, user)
    }
  }

  @Test func `two hundred races between charge and cancellation end one way each`() async throws {
    try await Self.withReplicas { stores, pool in
      var random = SeededRandom()
      let seed: Comment = "seed \(random.seed)"
      let users = [try await PaymentStoreTests.user(stores[0], balance: 600), UUID.random()]
      let orders = (0..<200).map { _ in Self.created(users[Int.random(in: 0...3, using: &random) == 0 ? 1 : 0]) }
      // Each order comes several times, as a charge and as a cancellation, in batches that overlap.
      var batches: [(isCancel: Bool, replica: Int, orders: [OrderCreated])] = []
      for _ in 0..<3 {
        for isCancel in [false, true] {
          let shuffled = orders.shuffled(using: &random)
          for start in stride(from: 0, to: 200, by: 20) {
            batches.append((isCancel, Int.random(in: 0...1, using: &random), Array(shuffled[start..<(start + 20)])))
          }
        }
      }
      batches.shuffle(using: &random)
      let loop = pool.loop
      try await withThrowingTaskGroup(of: Void.self) { group in
        for batch in batches {
          group.addTask {
            _ = try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
              let store = stores[batch.replica]
              return batch.isCancel
                ? try await store.cancel(batch.orders.map(Self.cancelled), at: .now)
                : try await store.settle(batch.orders, at: .now)
            }
          }
        }
        try await group.waitForAll()
      }
      // All were cancelled, so whatever was charged went back.
      let results = try await stores[0].cancel(orders.map(Self.cancelled), at: .now)
      #expect(results.allSatisfy { ($0.outcome == .charged) == ($0.refundedAt != nil) }, seed)
      #expect(try await stores[0].account(of: users[0])?.balance == 600, seed)
      let row = try await pool.query(
        Statement(
          """
          SELECT count(*), count(*) FILTER (WHERE outcome = 1),
            (SELECT count(*) FROM entries WHERE kind = 2 AND cause = ANY ($1)),
            (SELECT count(*) FROM entries WHERE kind = 3 AND cause = ANY ($1))
          FROM charges WHERE order_id = ANY ($1)
          """, orders.map(\.orderId))
      ).single()
      let (decided, charged, charges, refunds) = try row.values((Int64, Int64, Int64, Int64).self)
      #expect(decided == 200 && charges == charged && refunds == charged, seed)
      try await PaymentStoreTests.audit(pool, users[0])
    }
  }

  @Test func `a refund finds room on an account that is full`() async throws {
    try await Self.withReplicas { stores, pool in
      let most = AccountState.depositedMax
      let user = try await PaymentStoreTests.user(stores[0], balance: most)
      let order = Self.created(user, most)
      #expect(try await stores[0].settle([order], at: .now)[0].outcome == .charged)
      #expect(try await stores[0].deposit([PaymentStoreTests.deposit(user, 1)]) == [.balanceTooLarge])
      #expect(try await stores[0].cancel([Self.cancelled(order)], at: .now)[0].refundedAt != nil)
      #expect(try await stores[0].account(of: user)?.balance == most)
      try await PaymentStoreTests.audit(pool, user)
    }
  }

  @Test func `a ledger of the first release goes on, with all that was put on its accounts`() async throws {
    let url = try TestDatabase.make("old_payments")
    try await onLoop { loop in
      let folder = NSTemporaryDirectory() + "/gozon-migrations-\(UInt32.random(in: 0 ... .max))"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let first = "0001_payments.sql"
      try FileManager.default.copyItem(
        atPath: "\(TestDatabase.checkout)/Schemas/sql/payments/\(first)", toPath: "\(folder)/\(first)")
      let configuration = PostgresConfiguration(url: url)
      _ = try await Migrations(directory: folder).apply(loop: loop, configuration: configuration)
      let (user, idle, order) = (UUID.random(), UUID.random(), Self.created(.random(), 60))
      let connection = try await PostgresConnection.connect(loop: loop, configuration: configuration)
      _ = try await connection.execute([
        Statement("INSERT INTO accounts VALUES ($1, 'RUB', 90, 3, now()), ($2, 'RUB', 0, 0, now())", user, idle),
        Statement(
          """
          INSERT INTO entries VALUES
            ($1, 1, 1, $1, 100, 100, now()), ($1, 2, 2, $2, -60, 40, now()), ($1, 3, 1, $3, 50, 90, now())
          """, user, order.orderId, idle),
        Statement("INSERT INTO charges VALUES ($1, $2, 60, 'RUB', 1, now())", order.orderId, user),
      ])
      connection.close()
      try await TestDatabase.withPool(url, service: "payments", on: loop) { pool in
        let rows = try await pool.query(Statement("SELECT deposited FROM accounts ORDER BY balance"))
        #expect(try rows.map { try $0.value(0) as Int64 } == [0, 150])
        var cancelled = Self.cancelled(order)
        cancelled.userId = user
        #expect(try await PaymentStore(pool).cancel([cancelled], at: .now)[0].refundedAt != nil)
        try await PaymentStoreTests.audit(pool, user)
      }
    }
  }

  @Test func `the database refuses an entry that no charge accounts for, and a second refund`() async throws {
    try await Self.withReplicas { stores, pool in
      let user = try await PaymentStoreTests.user(stores[0], balance: 100)
      let other = try await PaymentStoreTests.user(stores[0], balance: 100)
      let (paid, unpaid) = (Self.created(user, 60), Self.created(user, 60))
      #expect(try await stores[0].settle([paid, unpaid], at: .now).map(\.outcome) == [.charged, .insufficientFunds])
      let insert: StaticString = """
        INSERT INTO entries (user_id, number, kind, cause, amount, balance, created_at)
        VALUES ($1, 100, $2, $3, $4, 100, now())
        """
      for (user, order, amount) in [
        (user, UUID.random(), 60), (user, unpaid.orderId, 60), (user, paid.orderId, 61), (user, paid.orderId, 59),
        (other, paid.orderId, 60),
        // That much was taken, but in another transaction.
        (user, paid.orderId, -60), (user, UUID.random(), -60),
      ] as [(UUID, UUID, Int64)] {
        let error = await #expect(throws: PostgresError.self) {
          try await pool.execute(Statement(insert, user, Int16(amount < 0 ? 2 : 3), order, amount))
        }
        #expect(error?.sqlState == "23000" && error?.isRefusalOfValues == true)
      }
      _ = try await stores[0].cancel([Self.cancelled(paid)], at: .now)
      let twice = await #expect(throws: PostgresError.self) {
        try await pool.execute(Statement(insert, user, Int16(3), paid.orderId, 60 as Int64))
      }
      #expect(twice?.isUniqueViolation(of: "entries_refund_once") == true)
      try await PaymentStoreTests.audit(pool, user)
    }
  }
}
