internal import Postgres

/// The SQL on the table `idempotency_keys`, which both databases have.
enum IdempotencyKeys {
  /// The keys behind `key` of `scope`, in their order, with the first response to each.
  static func page(behind scope: String, _ key: String, countMax: Int64) -> Statement {
    Statement(
      """
      SELECT scope, key, response FROM idempotency_keys WHERE (scope, key) > ($1, $2) ORDER BY scope, key LIMIT $3
      """, scope, key, countMax)
  }
}
