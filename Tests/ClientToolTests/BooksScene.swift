import API
import EventLoop
import Idempotency
import Messaging
import Postgres
import TestSupport
import Wire

@testable import Orders
@testable import Payments

/// Two databases with orders of every kind, as the services' own stores leave them.
struct BooksScene: Sendable {
  /// An account in RUB, one in EUR, one with nothing on it, and a user without an account.
  static let (rich, foreign, poor, stranger) = (uuid(0xA1), uuid(0xA2), uuid(0xA3), uuid(0xA4))
  /// Orders that have their result.
  static let (paid, refunded, tooDear, withoutAccount, ofOtherCurrency, takenBack, paidAbroad) =
    (uuid(1), uuid(2), uuid(3), uuid(4), uuid(5), uuid(6), uuid(7))
  /// Orders that wait for an answer: in the outbox, in `resends`, and one that is paid and to be cancelled.
  static let (new, asked, beingCancelled) = (uuid(8), uuid(9), uuid(10))

  let ordersURL: String
  let paymentsURL: String

  /// What the tool is told of the databases.
  var environment: [String: String] {
    ["GOZON_DATABASE_URL_ORDERS": ordersURL, "GOZON_DATABASE_URL_PAYMENTS": paymentsURL]
  }

  /// New databases in which all is well.
  static func make() async throws -> BooksScene { try await make { try await fill($0, $1, $2) } }

  /// New databases with nothing in them.
  static func makeEmpty() async throws -> BooksScene { try await make { _, _, _ in } }

  private static func make(
    _ fill: @escaping @Sendable (OrderStore, PaymentStore, PostgresPool) async throws -> Void
  ) async throws -> BooksScene {
    let scene = BooksScene(
      ordersURL: try TestDatabase.make("books_orders"), paymentsURL: try TestDatabase.make("books_payments"))
    try await onLoop { loop in
      try await TestDatabase.withPool(scene.ordersURL, service: "orders", connections: 2, on: loop) { orders in
        try await TestDatabase.withPool(scene.paymentsURL, service: "payments", connections: 2, on: loop) { payments in
          try await fill(OrderStore(orders), PaymentStore(payments), orders)
        }
      }
    }
    return scene
  }

  /// Runs SQL in one of the databases, without any of its constraints and triggers.
  func damage(_ database: String, _ script: String) async throws {
    let url = database == "orders" ? ordersURL : paymentsURL
    try await onLoop { loop in
      let connection = try await PostgresConnection.connect(loop: loop, configuration: PostgresConfiguration(url: url))
      defer { connection.close() }
      try await connection.run(script: Self.unprotecting + script)
    }
  }

  private static func uuid(_ number: UInt64) -> UUID { UUID(high: 0x7000, low: 0x8000_0000_0000_0000 | number) }

  private static func fill(_ orders: OrderStore, _ payments: PaymentStore, _ pool: PostgresPool) async throws {
    for (user, currency, amount) in [(rich, "RUB", 1_000), (foreign, "EUR", 500), (poor, "RUB", 0)]
      as [(UUID, String, Int64)]
    {
      let account = Account(userId: user, currency: currency, createdAt: .now)
      _ = try await payments.createAccount(account, Self.keyed("account of \(user)", "CreateAccount"))
      if amount == 0 { continue }
      let own = Self.keyed("deposit of \(user)", "Deposit")
      _ = try await payments.deposit([
        NewDeposit(id: uuid(amountID(user)), userID: user, amount: amount, createdAt: .now, idempotency: own)
      ])
    }
    let taken = try await take(orders)
    let charged = try await payments.settle(taken.filter { $0.id != takenBack }.map { .charge($0.created) }, at: .now)
    try await orders.settle(charged)
    _ = try await orders.requestCancel([refunded, takenBack].map { CancelRequest(orderID: $0) }, at: .now)
    let cancelled = try await orders.orders([refunded, takenBack]).values.map { $0.cancelled }
    try await orders.settle(try await payments.settle(cancelled.map { .cancel($0) }, at: .now))
    _ = try await orders.requestCancel([CancelRequest(orderID: beingCancelled)], at: .now)
    try await leaveUnanswered(orders, pool)
  }

  private static func amountID(_ user: UUID) -> UInt64 { user.low & 0xFF << 8 }

  /// Takes the orders that are to have a result.
  private static func take(_ orders: OrderStore) async throws -> [NewOrder] {
    let new = [
      order(paid, of: rich, 100, key: "order"), order(refunded, of: rich, 200), order(tooDear, of: poor, 50),
      order(withoutAccount, of: stranger, 60), order(ofOtherCurrency, of: foreign, 10), order(takenBack, of: rich, 70),
      order(paidAbroad, of: foreign, 60, currency: "EUR"), order(beingCancelled, of: rich, 40),
    ]
    _ = try await orders.create(new, slot: OutboxSlot(0))
    return new
  }

  private static func leaveUnanswered(_ orders: OrderStore, _ pool: PostgresPool) async throws {
    let early = Timestamp(microseconds: Timestamp.now.microseconds - 20_000_000)
    _ = try await orders.create([order(asked, of: rich, 30, at: early)], slot: OutboxSlot(1))
    try await pool.execute(OrderOutbox.move(OutboxSlot(1)))
    _ = try await orders.create([order(new, of: rich, 20)], slot: OutboxSlot(2))
  }

  private static func order(
    _ id: UUID, of user: UUID, _ amount: Int64, currency: String = "RUB", key: String? = nil, at time: Timestamp = .now
  ) -> NewOrder {
    NewOrder(
      id: id, userID: user, amount: amount, currency: currency, description: "", createdAt: time,
      idempotency: key.map { keyed($0, "CreateOrder") }, traceparent: nil)
  }

  private static func keyed(_ key: String, _ method: String) -> IdempotentRequest {
    IdempotentRequest(IdempotencyKey(key, method: method), request: [1])
  }

  /// Takes from a database what keeps it in order.
  private static let unprotecting = """
    DO $$
    DECLARE guard record;
    BEGIN
      FOR guard IN SELECT conrelid::regclass AS name, conname FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'p', 'u') AND conparentid = 0
      LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', guard.name, guard.conname);
      END LOOP;
      FOR guard IN SELECT tgrelid::regclass AS name, tgname FROM pg_trigger WHERE NOT tgisinternal LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', guard.tgname, guard.name);
      END LOOP;
    END $$;
    DROP INDEX IF EXISTS entries_refund_once;

    """
}
