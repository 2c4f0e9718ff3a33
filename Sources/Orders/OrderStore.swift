package import API
package import EventLoop
package import Idempotency
package import Messaging
package import Postgres
package import Wire

/// All SQL of orders. A `deadline` is the caller's, as in `PostgresPool`.
package struct OrderStore: Sendable {
  private let pool: PostgresPool

  /// A store in the database of `pool`.
  package init(_ pool: PostgresPool) { self.pool = pool }

  // MARK: Taking orders

  /// Takes the orders that are new, each with its place in the outbox, in one transaction of one round trip.
  ///
  /// `orders` must not hold an id or an Idempotency-Key twice.
  /// - Returns: the ids that were taken; the others had an id or a key that exists.
  package func create(
    _ orders: [NewOrder], slot: OutboxSlot, deadline: LoopInstant? = nil
  ) async throws(PostgresError) -> Set<UUID> {
    let hasKeys = orders.contains { $0.idempotency != nil }
    let statement = hasKeys ? Self.createWithKeys(orders, slot) : Self.create(orders, slot)
    let rows = try await pool.execute(statement, deadline: deadline)
    var created = Set<UUID>(minimumCapacity: rows.count)
    for row in rows { created.insert(try row.value(0)) }
    return created
  }

  private static func create(_ orders: [NewOrder], _ slot: OutboxSlot) -> Statement {
    Statement(
      """
      WITH input AS (
        SELECT * FROM unnest(
          $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::text[]
        ) AS input (id, user_id, amount, currency, description, created_at, traceparent)
      ), created AS (
        INSERT INTO orders (id, user_id, amount, currency, description, status, created_at, updated_at)
        SELECT id, user_id, amount, currency, description, 1, created_at, created_at FROM input
        ON CONFLICT (id) DO NOTHING
        RETURNING id
      ), queued AS (
        INSERT INTO outbox (slot, id, traceparent) SELECT $8, id, traceparent FROM input JOIN created USING (id)
      )
      SELECT id FROM created
      """,
      orders.map { $0.id }, orders.map { $0.userID }, orders.map { $0.amount }, orders.map { $0.currency },
      orders.map { $0.description }, orders.map { $0.createdAt }, orders.map { $0.traceparent }, slot.number)
  }

  /// Orders whose keys are known are not taken. A key that another transaction takes meanwhile breaks the primary key, as in
  /// ``KeyTable/insert(_:)``.
  private static func createWithKeys(_ orders: [NewOrder], _ slot: OutboxSlot) -> Statement {
    Statement(
      """
      WITH input AS (
        SELECT * FROM unnest(
          $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
          $9::text[], $10::text[], $11::bytea[], $12::bytea[]
        ) AS input (id, user_id, amount, currency, description, created_at, traceparent, scope, key, request, response)
      ), created AS (
        INSERT INTO orders (id, user_id, amount, currency, description, status, created_at, updated_at)
        SELECT id, user_id, amount, currency, description, 1, created_at, created_at FROM input
        WHERE key IS NULL OR NOT EXISTS (
          -- Each by its key, as OFFSET has it.
          SELECT FROM idempotency_keys AS kept WHERE kept.key = input.key AND kept.scope = input.scope OFFSET 0)
        ON CONFLICT (id) DO NOTHING
        RETURNING id
      ), noted AS (
        INSERT INTO idempotency_keys (slot, scope, key, request, response, created_at)
        SELECT keys.slot, scope, key, request, response, now()
        FROM input JOIN created USING (id), idempotency_slots('2 minutes', '0 minutes') AS keys (slot)
        WHERE key IS NOT NULL
        ORDER BY key, scope, keys.slot
      ), queued AS (
        INSERT INTO outbox (slot, id, traceparent) SELECT $8, id, traceparent FROM input JOIN created USING (id)
      )
      SELECT id FROM created
      """,
      orders.map { $0.id }, orders.map { $0.userID }, orders.map { $0.amount }, orders.map { $0.currency },
      orders.map { $0.description }, orders.map { $0.createdAt }, orders.map { $0.traceparent }, slot.number,
      orders.map { $0.idempotency?.key.scope }, orders.map { $0.idempotency?.key.value },
      orders.map { $0.idempotency?.request }, orders.map { $0.idempotency == nil ? nil : $0.order.encoded() })
  }

  /// What was answered under Idempotency-Keys.
  package func keyed(
    _ keys: [IdempotencyKey], deadline: LoopInstant? = nil
  ) async throws(PostgresError) -> KeyedAnswers {
    if keys.isEmpty { return KeyedAnswers() }
    return try KeyTable.answers(try await pool.query(KeyTable.find(keys), deadline: deadline))
  }

  // MARK: Reading

  /// The orders of `ids` that exist.
  package func orders(_ ids: [UUID], deadline: LoopInstant? = nil) async throws(PostgresError) -> [UUID: Order] {
    let rows = try await pool.query(
      Statement(
        """
        SELECT id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at
        FROM orders WHERE id = ANY ($1)
        """, ids), deadline: deadline)
    var found: [UUID: Order] = [:]
    for row in rows {
      let order = try Self.order(row)
      found[order.id] = order
    }
    return found
  }

  /// One order; nil when there is none.
  package func order(_ id: UUID, deadline: LoopInstant? = nil) async throws(PostgresError) -> Order? {
    let rows = try await pool.query(
      Statement(
        """
        SELECT id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at
        FROM orders WHERE id = $1
        """, id), deadline: deadline)
    guard let row = rows.first else { return nil }
    return try Self.order(row)
  }

  /// The orders of a page, newest first, and one more if there is one.
  package func orders(
    of userID: UUID?, status: OrderStatus?, page: OrderPage, deadline: LoopInstant? = nil
  ) async throws(PostgresError) -> [Order] {
    let status = status.map { Int16(bitPattern: $0.rawValue) }
    let limit = Int64(page.size + 1)
    let statement =
      if let userID {
        Statement(
          """
          SELECT
            id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at
          FROM orders
          WHERE user_id = $1 AND (created_at, id) < ($2, $3) AND ($4::smallint IS NULL OR status = $4)
          ORDER BY created_at DESC, id DESC LIMIT $5
          """, userID, page.before, page.id, status, limit)
      } else {
        Statement(
          """
          SELECT
            id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at
          FROM orders
          WHERE (created_at, id) < ($1, $2) AND ($3::smallint IS NULL OR status = $3)
          ORDER BY created_at DESC, id DESC LIMIT $4
          """, page.before, page.id, status, limit)
      }
    var orders: [Order] = []
    for row in try await pool.query(statement, deadline: deadline) { orders.append(try Self.order(row)) }
    return orders
  }

  /// What happened to an order, in the order of time; nil when there is none.
  package func timeline(of id: UUID, deadline: LoopInstant? = nil) async throws(PostgresError) -> [OrderEvent]? {
    let rows = try await pool.query(
      Statement(
        """
        SELECT id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at,
          finished_at
        FROM orders WHERE id = $1
        """, id), deadline: deadline)
    guard let row = rows.first else { return nil }
    return OrderRules.timeline(of: try Self.order(row), finishedAt: try row.value(10))
  }

  // MARK: Cancelling

  /// Puts on record that orders are to be cancelled, each with the event that has it done and with its key, in one
  /// transaction of two round trips. An order that is cancelled, refunded or on its way there stays as it is.
  ///
  /// - Returns: what became of each request, in order.
  package func requestCancel(
    _ requests: [CancelRequest], at time: Timestamp, deadline: LoopInstant? = nil
  ) async throws -> [CancelOutcome] {
    try await pool.withTransaction(deadline: deadline) { transaction in
      let locked = transaction.send(
        Statement(
          """
          SELECT
            id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at
          FROM orders WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
          """, requests.map(\.orderID)))
      let keys = requests.compactMap { $0.idempotency?.key }
      let keyed = keys.isEmpty ? nil : transaction.send(KeyTable.find(keys))
      let orders = try await locked.rows().map { row throws(PostgresError) -> Order in try Self.order(row) }
      let answers = try KeyTable.answers(try await keyed?.rows())
      let plan = CancelPlan(of: requests, orders: orders, answers: answers, at: time)
      if !plan.changed.isEmpty {
        transaction.send(Self.recordCancelRequests(of: plan.changed))
        transaction.send(Self.queueCancellations(of: plan.changed, requests))
      }
      if !plan.answers.new.isEmpty { transaction.send(KeyTable.insert(plan.answers.new)) }
      return plan.outcomes
    }
  }

  private static func recordCancelRequests(of orders: [Order]) -> Statement {
    Statement(
      """
      UPDATE orders SET cancel_requested_at = input.requested_at
      FROM unnest($1::uuid[], $2::timestamptz[]) AS input (id, requested_at) WHERE orders.id = input.id
      """, orders.map(\.id), orders.map(\.cancelRequestedAt))
  }

  /// The cancellation takes the place of the charge, if that is still waiting for its result: it is answered with the
  /// result of both. It goes out at once, and again in 5 s.
  private static func queueCancellations(of orders: [Order], _ requests: [CancelRequest]) -> Statement {
    let traces = Dictionary(requests.map { ($0.orderID, $0.traceparent) }) { first, _ in first }
    return Statement(
      """
      INSERT INTO resends (id, cancels, traceparent, due_at)
      SELECT id, true, traceparent, now() + interval '5 seconds'
      FROM unnest($1::uuid[], $2::text[]) AS input (id, traceparent)
      ON CONFLICT (id) DO UPDATE
      SET cancels = true, traceparent = excluded.traceparent, attempts = 0, due_at = excluded.due_at
      """, orders.map { $0.id }, orders.map { traces[$0.id] ?? nil })
  }

  // MARK: Settling

  /// Writes down what became of orders' charges and how far their lanes are processed, and lets the questions go that are
  /// answered, in one transaction of one round trip.
  ///
  /// Events may come again and in any order: an order moves as ``OrderRules/moves(_:to:)`` says, and otherwise stays as it
  /// is.
  /// - Throws: ``LanesLost`` when another process has the lanes by now; what it does is the same.
  package func settle(_ events: [OrderSettled], places: [LanePlace] = []) async throws {
    let events = OrderRules.latest(events)
    var statements: [Statement] = []
    if !events.isEmpty { statements += [Self.settle(events), Self.dropAnswered(events)] }
    if !places.isEmpty { statements.append(LaneTable.advance(places)) }
    guard let written = try await pool.execute(statements).last, !places.isEmpty else { return }
    try LaneTable.check(written, against: places)
  }

  private static func settle(_ events: [OrderSettled]) -> Statement {
    let settlements = events.map { OrderRules.settlement(of: $0) }
    return Statement(
      """
      UPDATE orders
      SET status = input.status, reason = input.reason,
        finished_at = CASE input.status WHEN 4 THEN greatest(created_at, input.settled_at) END,
        updated_at = greatest(
          created_at, input.settled_at, input.refunded_at,
          CASE WHEN input.status = 4 OR input.reason = 4 THEN cancel_requested_at END)
      FROM unnest($1::uuid[], $2::smallint[], $3::smallint[], $4::timestamptz[], $5::timestamptz[])
        AS input (id, status, reason, settled_at, refunded_at)
      WHERE orders.id = input.id AND (orders.status = 1 OR (orders.status = 2 AND input.status = 4))
      """,
      events.map { $0.orderId }, settlements.map { Int16(bitPattern: $0.status.rawValue) },
      settlements.map { $0.reason.map { Int16(bitPattern: $0.rawValue) } }, events.map { $0.settledAt },
      events.map { $0.refundedAt })
  }

  /// That an order is paid answers its charge. Its cancellation is answered by nothing less than the refund.
  private static func dropAnswered(_ events: [OrderSettled]) -> Statement {
    let isPaid = events.map { OrderRules.settlement(of: $0).status == .finished }
    return Statement(
      """
      DELETE FROM resends USING unnest($1::uuid[], $2::bool[]) AS answer (id, is_paid)
      WHERE resends.id = answer.id AND NOT (cancels AND is_paid)
      """, events.map { $0.orderId }, isPaid)
  }

  private static func order(_ row: Row) throws(PostgresError) -> Order {
    let (id, userID, amount, currency, description) = try row.values((UUID, UUID, Int64, String, String).self)
    let status: Int16 = try row.value(5)
    let reason: Int16? = try row.value(6)
    return Order(
      id: id, userId: userID, amount: amount, currency: currency, description: description,
      status: OrderStatus(rawValue: UInt16(bitPattern: status)) ?? .new,
      reason: reason.flatMap { OrderReason(rawValue: UInt16(bitPattern: $0)) },
      createdAt: try row.value(7), updatedAt: try row.value(8), cancelRequestedAt: try row.value(9))
  }
}
