internal import Postgres

/// The SQL that recomputes what must hold in the database of orders; rows as in ``PaymentsChecks``.
enum OrdersChecks {
  /// Orders whose row tells a story that cannot have happened.
  static func timelines(limit: Int64) -> Statement {
    Statement(
      """
      WITH checked AS (
        SELECT id,
          CASE
            WHEN (amount BETWEEN 1 AND 9007199254740991 AND currency COLLATE "C" ~ '^[A-Z]{3}$') IS NOT TRUE THEN
              format('costs %s %s', amount, currency)
            WHEN (status BETWEEN 1 AND 4) IS NOT TRUE THEN format('has the status %s, which there is not', status)
            WHEN updated_at < created_at THEN
              format('changed at %s, before it was taken at %s', updated_at, created_at)
            WHEN cancel_requested_at < created_at THEN
              format('was to be cancelled at %s, before it was taken at %s', cancel_requested_at, created_at)
            WHEN status <> 3 AND reason IS NOT NULL THEN format('has a reason (%s), and is not CANCELLED', reason)
            WHEN status = 3 AND (reason BETWEEN 1 AND 4) IS NOT TRUE THEN
              format('is CANCELLED without one of the reasons that there are (%s)', coalesce(reason::text, 'none'))
            WHEN status = 4 AND finished_at IS NULL THEN 'is REFUNDED, and does not say when it was paid'
            WHEN status <> 4 AND finished_at IS NOT NULL THEN
              format('says that it was paid at %s, as only one that is REFUNDED does', finished_at)
            WHEN finished_at NOT BETWEEN created_at AND updated_at THEN
              format('was paid at %s, but taken at %s and refunded at %s', finished_at, created_at, updated_at)
            WHEN (status = 4 OR reason = 4) AND cancel_requested_at IS NULL THEN
              'was cancelled by its user, who never asked for that'
            WHEN (status = 4 OR reason = 4) AND cancel_requested_at > updated_at THEN
              format('was cancelled at %s, before that was asked for at %s', updated_at, cancel_requested_at)
          END AS problem
        FROM orders
      ), found AS MATERIALIZED (SELECT * FROM checked WHERE problem IS NOT NULL)
      SELECT id::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $1
      """, limit)
  }

  /// Orders whose payment or cancellation has had no answer for so long.
  static func answers(stuckAfterMicroseconds: Int64, limit: Int64) -> Statement {
    Statement(
      """
      WITH found AS MATERIALIZED (
        SELECT id,
          CASE
            WHEN cancel_requested_at IS NULL THEN format('is NEW since %s', created_at)
            ELSE format('was to be cancelled at %s, and there is no answer', cancel_requested_at)
          END AS problem
        FROM orders
        WHERE (status = 1 AND created_at < now() - $1 * interval '1 microsecond')
          OR (status IN (1, 2) AND cancel_requested_at < now() - $1 * interval '1 microsecond')
      )
      SELECT id::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $2
      """, stuckAfterMicroseconds, limit)
  }

  /// Orders that wait for an answer that nobody will ask for again.
  static func questions(limit: Int64) -> Statement {
    Statement(
      """
      WITH found AS MATERIALIZED (
        SELECT id, format('is NEW since %s, and neither in outbox nor in resends: nobody asks for its payment',
          created_at) AS problem
        FROM orders
        WHERE status = 1 AND cancel_requested_at IS NULL AND created_at < now() - interval '5 seconds'
          AND NOT EXISTS (SELECT FROM outbox WHERE outbox.id = orders.id)
          AND NOT EXISTS (SELECT FROM resends WHERE resends.id = orders.id)
        UNION ALL
        SELECT id, format('was to be cancelled at %s, and is not in resends: nobody asks for that', cancel_requested_at)
        FROM orders
        WHERE status IN (1, 2) AND cancel_requested_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM resends WHERE resends.id = orders.id AND cancels)
      )
      SELECT id::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $1
      """, limit)
  }

  /// Questions about orders that there are not.
  static func strays(limit: Int64) -> Statement {
    Statement(
      """
      WITH found AS MATERIALIZED (
        SELECT id, 'is in resends, and there is no such order' AS problem FROM resends
        WHERE NOT EXISTS (SELECT FROM orders WHERE orders.id = resends.id)
        UNION ALL
        SELECT id, 'is in outbox, and there is no such order' FROM outbox
        WHERE NOT EXISTS (SELECT FROM orders WHERE orders.id = outbox.id)
      )
      SELECT id::text, problem, (SELECT count(*) FROM found) FROM found LIMIT $1
      """, limit)
  }
}
