internal import Postgres

/// What holds of every row of large tables is summed up in digests, one for each bucket of keys; only buckets that do not
/// add up are looked at closely. Digests are a bucket, how many rows it has, and whether it is broken. `seed` is another
/// each time, so that no rows can be made whose digests hide each other.
extension PaymentsChecks {
  /// Each entry is a step from what stood on its account to what stands there then. Where all steps of an account make one
  /// way from entry 0 and nothing to what the account says, their beginnings and their ends cancel out; otherwise not.
  /// Entries that are beyond all bounds, with which the server could not count, are no steps.
  static func entryDigests(_ buckets: Buckets, seed: Int64) -> Statement {
    Statement(
      """
      SELECT uuid_hash(user_id) & $1, sum(rows)::bigint, sum(digest) <> 0
      FROM (
        SELECT user_id, 1 AS rows,
          (uuid_hash_extended(user_id, hashint8extended(number, hashint8extended(balance, $2))) >> 1)
          - (uuid_hash_extended(user_id, hashint8extended(number - 1, hashint8extended(balance - amount, $2))) >> 1)
            AS digest
        FROM entries
        WHERE number > 0 AND balance BETWEEN -9007199254740991 AND 9007199254740991
          AND amount BETWEEN -9007199254740991 AND 9007199254740991
        UNION ALL
        SELECT user_id, 0,
          (uuid_hash_extended(user_id, hashint8extended(0, hashint8extended(0, $2))) >> 1)
          - (uuid_hash_extended(user_id, hashint8extended(entries, hashint8extended(balance, $2))) >> 1)
        FROM accounts
      ) AS steps GROUP BY 1
      """, buckets.mask, seed)
  }

  /// Accounts of these buckets whose entries are not numbered from 1 without a gap, whose balances do not follow from each
  /// other, or that say something else than their last entry.
  static func entries(in numbers: [Int32], of buckets: Buckets, limit: Int64) -> Statement {
    Statement(
      """
      WITH steps AS (
        SELECT user_id, number, amount, balance,
          lag(number, 1, 0::bigint) OVER account AS last, lag(balance, 1, 0::bigint) OVER account AS rest
        FROM entries WHERE uuid_hash(user_id) & $2 = ANY ($1)
        WINDOW account AS (PARTITION BY user_id ORDER BY number)
      ), ends AS (
        SELECT user_id, count(*) AS entries, (array_agg(balance ORDER BY number DESC))[1] AS balance
        FROM steps GROUP BY user_id
      ), checked AS (
        SELECT user_id, number,
          CASE
            WHEN (
              number > 0 AND balance BETWEEN -9007199254740991 AND 9007199254740991
              AND amount BETWEEN -9007199254740991 AND 9007199254740991
            ) IS NOT TRUE THEN format('entry %s moves %s and leaves %s', number, amount, balance)
            WHEN number <> last::numeric + 1 THEN format('entry %s comes behind entry %s', number, last)
            WHEN balance <> rest::numeric + amount THEN
              format('entry %s moves %s on a balance of %s and leaves %s', number, amount, rest, balance)
          END AS problem
        FROM steps
        UNION ALL
        SELECT user_id, NULL::bigint,
          CASE
            WHEN account.entries IS NULL THEN format('has %s entries and is no account', ends.entries)
            WHEN account.entries <> coalesce(ends.entries, 0) THEN
              format('says that it has %s entries, and has %s', account.entries, coalesce(ends.entries, 0))
            WHEN account.balance <> coalesce(ends.balance, 0) THEN
              format('says that %s is on it, and its last entry leaves %s', account.balance, coalesce(ends.balance, 0))
          END
        FROM (SELECT * FROM accounts WHERE uuid_hash(user_id) & $2 = ANY ($1)) AS account FULL JOIN ends USING (user_id)
      ), found AS MATERIALIZED (SELECT * FROM checked WHERE problem IS NOT NULL ORDER BY user_id, number)
      SELECT user_id::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $3
      """, numbers, buckets.mask, limit)
  }

  /// The charges that were made and the entries that took the money are the same, one for one.
  static func chargeDigests(_ buckets: Buckets, seed: Int64) -> Statement {
    Statement(
      """
      SELECT uuid_hash(order_id) & $1, sum(rows)::bigint, sum(digest) <> 0
      FROM (
        SELECT order_id, 1 AS rows,
          CASE outcome WHEN 1 THEN
            uuid_hash_extended(order_id, uuid_hash_extended(user_id, hashint8extended(amount, $2))) >> 1
          ELSE 0 END AS digest
        FROM charges
        UNION ALL
        SELECT cause, 0, -(uuid_hash_extended(cause, uuid_hash_extended(user_id, hashint8extended(-amount, $2))) >> 1)
        FROM entries WHERE kind = 2 AND amount >= -9007199254740991
      ) AS sides GROUP BY 1
      """, buckets.mask, seed)
  }

  /// Orders of these buckets whose charge and entry are not as ``chargeDigests(_:seed:)`` says.
  static func charges(in numbers: [Int32], of buckets: Buckets, limit: Int64) -> Statement {
    Statement(
      """
      WITH made AS (SELECT * FROM charges WHERE uuid_hash(order_id) & $2 = ANY ($1)), taken AS (
        SELECT cause, user_id, count(*) AS times, -sum(amount) AS amount
        FROM entries WHERE kind = 2 AND uuid_hash(cause) & $2 = ANY ($1) GROUP BY cause, user_id
      ), found AS MATERIALIZED (
        SELECT coalesce(order_id, cause) AS id,
          CASE
            WHEN order_id IS NULL THEN
              format('took %s from account %s, and has no charge that says so', taken.amount, taken.user_id)
            WHEN outcome <> 1 THEN
              format('took %s from account %s, and its charge was not made (outcome %s)', taken.amount, taken.user_id,
                outcome)
            WHEN cause IS NULL THEN
              format('has a charge of %s that was made, and no entry takes it from account %s', made.amount,
                made.user_id)
            WHEN times > 1 THEN format('was charged %s times, %s in all', times, taken.amount)
            ELSE format('has a charge of %s, and took %s', made.amount, taken.amount)
          END AS problem
        FROM made FULL JOIN taken ON order_id = cause AND made.user_id = taken.user_id
        WHERE CASE outcome WHEN 1 THEN (times = 1 AND taken.amount = made.amount) IS NOT TRUE ELSE cause IS NOT NULL END
      )
      SELECT id::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $3
      """, numbers, buckets.mask, limit)
  }
}
