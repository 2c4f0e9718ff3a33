internal import Postgres

/// The SQL that recomputes what must hold in the database of payments. What is found broken is a row: which account or order,
/// what is wrong with it, and how many rows there are in all, of which `limit` are returned. They are materialized, so that
/// the limit does not make the server plan for a few of many rows: there should be none.
enum PaymentsChecks {
  /// Values that no entry and no account may have.
  static func values(limit: Int64) -> Statement {
    Statement(
      """
      WITH found AS MATERIALIZED (
        SELECT user_id, format('entry %s of kind %s moves %s and leaves %s', number, kind, amount, balance) AS problem
        FROM entries
        WHERE (
          kind BETWEEN 1 AND 3 AND number > 0 AND balance BETWEEN 0 AND 9007199254740991
          AND CASE kind WHEN 2 THEN amount BETWEEN -9007199254740991 AND -1 ELSE amount BETWEEN 1 AND 9007199254740991 END
        ) IS NOT TRUE
        UNION ALL
        SELECT user_id, format('has %s on it, and %s was ever put there', balance, deposited) FROM accounts
        WHERE (balance BETWEEN 0 AND deposited AND deposited <= 9007199254740991) IS NOT TRUE
      )
      SELECT user_id::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $1
      """, limit)
  }

  /// Accounts that do not know what was put on them. Those that are older than the column know no more than it holds.
  static func deposits(limit: Int64) -> Statement {
    Statement(
      """
      WITH found AS MATERIALIZED (
        SELECT user_id,
          format('says that %s was put on it, and its deposits are %s', deposited, coalesce(total, 0)) AS problem
        FROM accounts
          LEFT JOIN (SELECT user_id, sum(amount) AS total FROM entries WHERE kind = 1 GROUP BY user_id) AS deposits
          USING (user_id)
        WHERE deposited <> least(coalesce(total, 0), 9007199254740991)
      )
      SELECT user_id::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $1
      """, limit)
  }

  /// Currencies whose books do not balance: what the users have must be what the shop's accounts, cash and sales, lack.
  static func sums(limit: Int64) -> Statement {
    Statement(
      """
      WITH users AS (SELECT currency, sum(balance) AS balances FROM accounts GROUP BY currency), shop AS (
        SELECT currency, coalesce(sum(amount) FILTER (WHERE kind = 1), 0) AS deposits,
          coalesce(-sum(amount) FILTER (WHERE kind = 2), 0) AS charges,
          coalesce(sum(amount) FILTER (WHERE kind = 3), 0) AS refunds
        FROM entries LEFT JOIN accounts USING (user_id) GROUP BY currency
      ), found AS MATERIALIZED (
        SELECT coalesce(currency, 'of nobody') AS currency,
          format('has deposits of %s, charges of %s and refunds of %s, which leave %s, and balances of %s',
            coalesce(deposits, 0), coalesce(charges, 0), coalesce(refunds, 0),
            coalesce(deposits - charges + refunds, 0), coalesce(balances, 0)) AS problem
        FROM users FULL JOIN shop USING (currency)
        WHERE coalesce(deposits - charges + refunds, 0) <> coalesce(balances, 0)
      )
      SELECT currency, problem, (SELECT count(*) FROM found) FROM found LIMIT $1
      """, limit)
  }

  /// Refunds that do not rest on a charge that was made before, once and as much.
  static func refunds(limit: Int64) -> Statement {
    Statement(
      """
      WITH refunds AS (
        SELECT cause, user_id, count(*) AS times, sum(amount) AS amount, min(created_at) AS refunded_at
        FROM entries WHERE kind = 3 GROUP BY cause, user_id
      ), found AS MATERIALIZED (
        SELECT cause,
          CASE
            WHEN order_id IS NULL THEN format('was refunded %s, and was never charged', refunds.amount)
            WHEN outcome <> 1 THEN
              format('was refunded %s, and its charge was not made (outcome %s)', refunds.amount, outcome)
            WHEN charges.user_id <> refunds.user_id THEN
              format('took from account %s and was refunded to account %s', charges.user_id, refunds.user_id)
            WHEN times > 1 THEN format('was refunded %s times', times)
            WHEN charges.amount <> refunds.amount THEN
              format('took %s and was refunded %s', charges.amount, refunds.amount)
            ELSE format('was refunded at %s, before it was charged at %s', refunded_at, settled_at)
          END AS problem
        FROM refunds LEFT JOIN charges ON order_id = cause
        WHERE (
          outcome = 1 AND charges.user_id = refunds.user_id AND times = 1 AND charges.amount = refunds.amount
          AND refunded_at >= settled_at) IS NOT TRUE
      )
      SELECT cause::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $1
      """, limit)
  }
}
