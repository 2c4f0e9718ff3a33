internal import Postgres
internal import Wire

/// Orders as the database of payments must know them: what was decided about the charge of each follows from its status.
///
/// Digests are those of ``PaymentsChecks/outcomeDigests(_:seed:before:)``, made of the same values.
extension OrdersChecks {
  /// For each bucket: how many orders have their result, the digest of those that had it before `time`, and which have it
  /// since.
  static func outcomeDigests(_ buckets: Buckets, seed: Int64, before time: Timestamp) -> Statement {
    Statement(
      """
      SELECT uuid_hash(id) & $1, count(*),
        sum(
          uuid_hash_extended(id, uuid_hash_extended(user_id, hashint8extended(amount, hashtextextended(
            currency COLLATE "C", $2 + 2 * CASE status WHEN 3 THEN reason + 1 ELSE 1 END + (status = 4)::int))))
        ) FILTER (WHERE coalesce(finished_at, updated_at) < $3)::text,
        array_agg(id) FILTER (WHERE coalesce(finished_at, updated_at) >= $3)
      FROM orders WHERE status <> 1 GROUP BY 1
      """, buckets.mask, seed, time)
  }

  /// The orders of these buckets that had their result before `time`, each with its digest.
  static func outcomes(
    in numbers: [Int32], of buckets: Buckets, seed: Int64, before time: Timestamp
  ) -> Statement {
    Statement(
      """
      SELECT id,
        uuid_hash_extended(id, uuid_hash_extended(user_id, hashint8extended(amount, hashtextextended(
          currency COLLATE "C", $3 + 2 * CASE status WHEN 3 THEN reason + 1 ELSE 1 END + (status = 4)::int))))
      FROM orders
      WHERE status <> 1 AND coalesce(finished_at, updated_at) < $4 AND uuid_hash(id) & $2 = ANY ($1)
      """, numbers, buckets.mask, seed, time)
  }

  /// What charges are compared with, of those of `ids` that are orders: a column for each value, in one row.
  static func orders(_ ids: [UUID]) -> Statement {
    Statement(
      """
      SELECT array_agg(id), array_agg(user_id), array_agg(amount), array_agg(currency), array_agg(status),
        array_agg(coalesce(reason, 0::smallint)), array_agg(cancel_requested_at IS NOT NULL), array_agg(updated_at)
      FROM orders WHERE id = ANY ($1) HAVING count(*) > 0
      """, ids)
  }
}
