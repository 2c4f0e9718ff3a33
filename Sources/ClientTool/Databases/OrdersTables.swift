internal import Postgres
internal import Wire

/// The SQL on the database of orders, as far as one order is concerned.
enum OrdersTables {
  /// The order's row.
  static func order(_ id: UUID) -> Statement {
    Statement(
      """
      SELECT user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at,
        finished_at
      FROM orders WHERE id = $1
      """, id)
  }

  /// What payments is being asked about an order: to charge it for the first time, or what was not answered in time.
  static func questions(about id: UUID) -> Statement {
    Statement(
      """
      SELECT cancels, attempts, due_at, traceparent FROM resends WHERE id = $1
      UNION ALL
      SELECT false, 0, NULL, traceparent FROM outbox
      WHERE id = $1 AND EXISTS (SELECT FROM orders WHERE orders.id = outbox.id AND status = 1)
        AND NOT EXISTS (SELECT FROM resends WHERE resends.id = outbox.id)
      """, id)
  }
}
