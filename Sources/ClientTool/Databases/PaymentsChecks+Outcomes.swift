internal import Postgres
internal import Wire

extension PaymentsChecks {
  /// For each bucket: how many charges are decided, the digest of those that were before `time`, and which are since.
  static func outcomeDigests(_ buckets: Buckets, seed: Int64, before time: Timestamp) -> Statement {
    Statement(
      """
      SELECT uuid_hash(order_id) & $1, count(*),
        sum(
          uuid_hash_extended(order_id, uuid_hash_extended(charges.user_id, hashint8extended(charges.amount,
            hashtextextended(currency COLLATE "C", $2 + 2 * outcome + (cause IS NOT NULL)::int))))
        ) FILTER (WHERE settled_at < $3)::text,
        array_agg(order_id) FILTER (WHERE settled_at >= $3)
      FROM charges LEFT JOIN entries AS refund ON refund.kind = 3 AND refund.cause = order_id GROUP BY 1
      """, buckets.mask, seed, time)
  }

  /// The charges of these buckets that were decided before `time`, each with its digest.
  static func outcomes(
    in numbers: [Int32], of buckets: Buckets, seed: Int64, before time: Timestamp
  ) -> Statement {
    Statement(
      """
      SELECT order_id,
        uuid_hash_extended(order_id, uuid_hash_extended(charges.user_id, hashint8extended(charges.amount,
          hashtextextended(currency COLLATE "C", $3 + 2 * outcome + (cause IS NOT NULL)::int))))
      FROM charges LEFT JOIN entries AS refund ON refund.kind = 3 AND refund.cause = order_id
      WHERE settled_at < $4 AND uuid_hash(order_id) & $2 = ANY ($1)
      """, numbers, buckets.mask, seed, time)
  }

  /// Orders, as they were read a moment ago, that do not agree with their charges now. A charge may be ahead of its order
  /// for so long as an answer takes; an order is never ahead of its charge.
  static func disagreements(
    of ids: [UUID], orders: ComparedOrders, stuckAfterMicroseconds: Int64
  ) -> Statement {
    Statement(
      """
      WITH placed AS (
        SELECT id, user_id, amount, currency, reason, is_to_be_cancelled, updated_at, status,
          (ARRAY['NEW', 'FINISHED', 'CANCELLED', 'REFUNDED'])[status]
          || coalesce(
            ' for ' || (ARRAY['INSUFFICIENT_FUNDS', 'NO_ACCOUNT', 'CURRENCY_MISMATCH', 'CANCELLED_BY_USER'])[reason], '')
            AS state
        FROM unnest(
          $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::smallint[], $7::smallint[], $8::bool[],
          $9::timestamptz[]
        ) AS placed (id, user_id, amount, currency, status, reason, is_to_be_cancelled, updated_at)
      ), decided AS (
        SELECT order_id, user_id, amount, currency, outcome, settled_at,
          (SELECT min(created_at) FROM entries WHERE kind = 3 AND cause = order_id) AS refunded_at,
          (ARRAY['CHARGED', 'INSUFFICIENT_FUNDS', 'NO_ACCOUNT', 'CURRENCY_MISMATCH', 'CANCELLED'])[outcome] AS result
        FROM charges WHERE order_id = ANY ($1)
      ), compared AS (
        SELECT coalesce(id, order_id) AS id,
          CASE
            WHEN id IS NULL THEN
              format('has a charge of %s %s (%s), and there is no such order', decided.amount, decided.currency, result)
            WHEN order_id IS NULL AND status = 1 THEN NULL
            WHEN order_id IS NULL THEN format('is %s without a charge', state)
            WHEN placed.user_id <> decided.user_id THEN
              format('is of user %s, and its charge is of user %s', placed.user_id, decided.user_id)
            WHEN (placed.amount, placed.currency) <> (decided.amount, decided.currency) THEN
              format('costs %s %s, and its charge is of %s %s', placed.amount, placed.currency, decided.amount,
                decided.currency)
            WHEN status IN (1, 2) AND NOT is_to_be_cancelled AND (outcome = 5 OR refunded_at IS NOT NULL) THEN
              format('is %s, nobody wanted it cancelled, and its charge was %s', state,
                CASE outcome WHEN 5 THEN result ELSE 'refunded' END)
            WHEN status = 1 AND settled_at < now() - $10 * interval '1 microsecond' THEN
              format('is NEW, and its charge was decided (%s) at %s', result, settled_at)
            WHEN status = 1 THEN NULL
            WHEN outcome <> CASE status WHEN 3 THEN reason + 1 ELSE 1 END THEN
              format('is %s, and its charge is %s', state, result)
            WHEN status = 2 AND refunded_at < now() - $10 * interval '1 microsecond' THEN
              format('is FINISHED, and was refunded at %s', refunded_at)
            WHEN status = 4 AND refunded_at IS NULL THEN 'is REFUNDED, and its charge was not given back'
            WHEN updated_at < settled_at THEN
              format('is %s since %s, and its charge was decided at %s', state, updated_at, settled_at)
          END AS problem
        FROM placed FULL JOIN decided ON id = order_id
      )
      SELECT id, problem FROM compared WHERE problem IS NOT NULL
      """, ids, orders.ids, orders.userIDs, orders.amounts, orders.currencies, orders.statuses, orders.reasons,
      orders.areToBeCancelled, orders.updatedAt, stuckAfterMicroseconds)
  }
}
