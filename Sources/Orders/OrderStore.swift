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
        SELECT id, user_id, amount, currency, description, status, reason, created_at, updated_at
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
        SELECT id, user_id, amount, currency, description, status, reason, created_at, updated_at
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
          SELECT id, user_id, amount, currency, description, status, reason, created_at, updated_at
          FROM orders
          WHERE user_id = $1 AND (created_at, id) < ($2, $3) AND ($4::smallint IS NULL OR status = $4)
          ORDER BY created_at DESC, id DESC LIMIT $5
          """, userID, page.before, page.id, status, limit)
      } else {
        Statement(
          """
          SELECT id, user_id, amount, currency, description, status, reason, created_at, updated_at
          FROM orders
          WHERE (created_at, id) < ($1, $2) AND ($3::smallint IS NULL OR status = $3)
          ORDER BY created_at DESC, id DESC LIMIT $4
          """, page.before, page.id, status, limit)
      }
    var orders: [Order] = []
    for row in try await pool.query(statement, deadline: deadline) { orders.append(try Self.order(row)) }
    return orders
  }

  // MARK: Settling

  /// Writes down how orders were settled and lets their events go, in one transaction of one round trip.
  ///
  /// An order that is settled already stays as it is, so repeats do no harm.
  package func settle(_ events: [OrderSettled]) async throws(PostgresError) {
    let settlements = events.map { OrderRules.settlement(of: $0.outcome) }
    _ = try await pool.execute(
      Statement(
        """
        WITH input AS (
          SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::smallint[], $4::timestamptz[])
            AS input (id, status, reason, settled_at)
        ), confirmed AS (
          DELETE FROM outbox USING input WHERE outbox.id = input.id
        )
        UPDATE orders
        SET status = input.status, reason = input.reason, updated_at = greatest(created_at, input.settled_at)
        FROM input WHERE orders.id = input.id AND orders.status = 1
        """,
        events.map(\.orderId), settlements.map { Int16(bitPattern: $0.status.rawValue) },
        settlements.map { $0.reason.map { Int16(bitPattern: $0.rawValue) } }, events.map(\.settledAt)))
  }

  private static func order(_ row: Row) throws(PostgresError) -> Order {
    let (id, userID, amount, currency, description) = try row.values((UUID, UUID, Int64, String, String).self)
    let status: Int16 = try row.value(5)
    let reason: Int16? = try row.value(6)
    return Order(
      id: id, userId: userID, amount: amount, currency: currency, description: description,
      status: OrderStatus(rawValue: UInt16(bitPattern: status)) ?? .new,
      reason: reason.flatMap { OrderReason(rawValue: UInt16(bitPattern: $0)) },
      createdAt: try row.value(7), updatedAt: try row.value(8))
  }
}
