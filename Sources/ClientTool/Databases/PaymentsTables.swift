internal import Postgres
internal import Wire

/// The SQL on the database of payments, as far as one order is concerned.
enum PaymentsTables {
  /// What was decided about the order.
  static func charge(of orderID: UUID) -> Statement {
    Statement("SELECT user_id, amount, currency, outcome, settled_at FROM charges WHERE order_id = $1", orderID)
  }

  /// What the order moved on an account.
  static func entries(of userID: UUID, about orderID: UUID) -> Statement {
    Statement(
      """
      SELECT number, kind, amount, balance, created_at FROM entries WHERE user_id = $1 AND cause = $2 ORDER BY number
      """, userID, orderID)
  }
}
