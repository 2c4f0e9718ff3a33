package import API
package import EventLoop
internal import Messaging
package import Postgres
package import Wire

/// All SQL of orders. A `deadline` is the caller's, as in `PostgresPool`.
package struct OrderStore: Sendable {
  private let pool: PostgresPool

  /// A store in the database of `pool`.
  package init(_ pool: PostgresPool) { self.pool = pool }

  // MARK: Taking orders

  /// Takes the orders that are new, each with its event, in one transaction of one round trip.
  ///
  /// `orders` must not hold an id or an Idempotency-Key twice.
  /// - Returns: the ids that were taken; the others had an id or a key that exists.
  package func create(
    _ orders: [NewOrder], dueAt: Timestamp, deadline: LoopInstant? = nil
  ) async throws(PostgresError) -> Set<UUID> {
    let rows = try await pool.execute(
      Statement(
        """
        WITH input AS (
          SELECT * FROM unnest(
            $1::uuid[], $2::bool[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
            $9::bytea[], $10::bytea[], $11::text[], $12::bytea[], $13::text[]
          ) AS input (
            id, has_own_id, user_id, amount, currency, description, created_at, key,
            request, response, subject, payload, traceparent)
        ), claimed AS (
          -- Without an id of the caller's the key decides who is first.
          INSERT INTO idempotency_keys (scope, key, request, response, created_at)
          SELECT 'CreateOrder', key, request, response, created_at FROM input WHERE key IS NOT NULL AND NOT has_own_id
          ON CONFLICT DO NOTHING
          RETURNING key
        ), created AS (
          INSERT INTO orders (id, user_id, amount, currency, description, status, created_at, updated_at)
          SELECT id, user_id, amount, currency, description, 1, created_at, created_at FROM input
          WHERE key IS NULL
            OR (NOT has_own_id AND key IN (SELECT key FROM claimed))
            OR (has_own_id AND NOT EXISTS (
              SELECT FROM idempotency_keys k WHERE k.scope = 'CreateOrder' AND k.key = input.key))
          ON CONFLICT (id) DO NOTHING
          RETURNING id
        ), noted AS (
          -- With an id of the caller's the id decides, and the key remembers.
          INSERT INTO idempotency_keys (scope, key, request, response, created_at)
          SELECT 'CreateOrder', key, request, response, created_at FROM input JOIN created USING (id)
          WHERE key IS NOT NULL AND has_own_id
          ON CONFLICT DO NOTHING
        ), queued AS (
          INSERT INTO outbox (id, subject, type, user_id, payload, traceparent, due_at)
          SELECT id, subject, 'gozon.events.OrderCreated', user_id, payload, traceparent, $14
          FROM input JOIN created USING (id)
        )
        SELECT id FROM created
        """,
        orders.map(\.id), orders.map(\.hasOwnID), orders.map(\.userID), orders.map(\.amount), orders.map(\.currency),
        orders.map(\.description), orders.map(\.createdAt), orders.map(\.idempotency?.key),
        orders.map(\.idempotency?.request), orders.map { $0.idempotency == nil ? nil : $0.order.encoded() },
        orders.map { EventSubject.orderCreated(of: $0.userID) }, orders.map { $0.created.encoded() },
        orders.map(\.traceparent), dueAt), deadline: deadline)
    var created = Set<UUID>(minimumCapacity: rows.count)
    for row in rows { created.insert(try row.value(0)) }
    return created
  }

  /// The requests and first responses of Idempotency-Keys.
  package func keyed(
    _ keys: [String], deadline: LoopInstant? = nil
  ) async throws(PostgresError) -> [String: (request: [UInt8], response: [UInt8])] {
    let rows = try await pool.query(
      Statement(
        "SELECT key, request, response FROM idempotency_keys WHERE scope = 'CreateOrder' AND key = ANY ($1)", keys),
      deadline: deadline)
    var found: [String: (request: [UInt8], response: [UInt8])] = [:]
    for row in rows { found[try row.value(0)] = (try row.value(1), try row.value(2)) }
    return found
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

  /// Puts on record that orders are to be cancelled, each with the event that has it done, in one transaction of two round
  /// trips. An order that is cancelled, refunded or on its way there stays as it is.
  ///
  /// - Parameter firstResendIn: when an event that has had no result is sent again.
  /// - Returns: the orders that exist, as they stand then.
  package func requestCancel(
    _ requests: [CancelRequest], at time: Timestamp, firstResendIn: Duration, deadline: LoopInstant? = nil
  ) async throws -> [UUID: Order] {
    try await pool.withTransaction(deadline: deadline) { transaction in
      let rows = try await transaction.query(
        Statement(
          """
          SELECT
            id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at
          FROM orders WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
          """, requests.map(\.orderID)))
      var orders: [UUID: Order] = [:]
      var changed: [Order] = []
      for row in rows {
        var order = try Self.order(row)
        if let requesting = OrderRules.requestingCancel(of: order, at: time) {
          order = requesting
          changed.append(order)
        }
        orders[order.id] = order
      }
      if !changed.isEmpty {
        transaction.send(Self.recordCancelRequests(of: changed))
        transaction.send(Self.queueCancellations(of: changed, requests, firstResendIn: firstResendIn))
      }
      return orders
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
  /// result of both.
  private static func queueCancellations(
    of orders: [Order], _ requests: [CancelRequest], firstResendIn: Duration
  ) -> Statement {
    let traces = Dictionary(requests.map { ($0.orderID, $0.traceparent) }) { first, _ in first }
    return Statement(
      """
      INSERT INTO outbox (id, subject, type, user_id, payload, traceparent, due_at)
      SELECT id, subject, 'gozon.events.OrderCancelled', user_id, payload, traceparent,
        now() + $6 * interval '1 second'
      FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bytea[], $5::text[])
        AS input (id, subject, user_id, payload, traceparent)
      ON CONFLICT (id) DO UPDATE
      SET subject = excluded.subject, type = excluded.type, payload = excluded.payload,
        traceparent = excluded.traceparent, attempts = 0, due_at = excluded.due_at
      """,
      orders.map(\.id), orders.map { EventSubject.orderCancelled(of: $0.userId) }, orders.map(\.userId),
      orders.map { $0.cancelled.encoded() }, orders.map { traces[$0.id] ?? nil },
      firstResendIn.components.seconds)
  }

  // MARK: Settling

  /// Writes down what became of orders' charges and lets the events go that are answered, in one transaction of one round
  /// trip.
  ///
  /// Events may come again and in any order: an order moves as ``OrderRules/moves(_:to:)`` says, and otherwise stays as it
  /// is.
  package func settle(_ events: [OrderSettled]) async throws(PostgresError) {
    let events = OrderRules.latest(events)
    let settlements = events.map { OrderRules.settlement(of: $0) }
    _ = try await pool.execute(
      Statement(
        """
        WITH input AS (
          SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::smallint[], $4::timestamptz[], $5::timestamptz[])
            AS input (id, status, reason, settled_at, refunded_at)
        ), confirmed AS (
          -- That an order is paid answers its charge. Its cancellation is answered by nothing less than the refund.
          DELETE FROM outbox USING input
          WHERE outbox.id = input.id AND (input.status <> 2 OR outbox.type = 'gozon.events.OrderCreated')
        )
        UPDATE orders
        SET status = input.status, reason = input.reason,
          finished_at = CASE input.status WHEN 4 THEN greatest(created_at, input.settled_at) END,
          updated_at = greatest(
            created_at, input.settled_at, input.refunded_at,
            CASE WHEN input.status = 4 OR input.reason = 4 THEN cancel_requested_at END)
        FROM input WHERE orders.id = input.id AND (orders.status = 1 OR (orders.status = 2 AND input.status = 4))
        """,
        events.map(\.orderId), settlements.map { Int16(bitPattern: $0.status.rawValue) },
        settlements.map { $0.reason.map { Int16(bitPattern: $0.rawValue) } }, events.map(\.settledAt),
        events.map(\.refundedAt)))
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
