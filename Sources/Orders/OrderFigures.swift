internal import API
internal import EventLoop
internal import Postgres
internal import Service
internal import Wire

/// What the database knows of orders that have no result yet. The questions cost the same however many orders there are.
enum OrderFigures {
  /// Rows of `resends` that are counted, and looked at for the oldest order: beyond that it is bad enough.
  private static let resendsMax: Int64 = 50_000
  /// The first rows of each slot of the outbox that are looked at for an order without a result.
  private static let firstRowsMax: Int64 = 500
  /// How long the questions may take together.
  private static let patience: Duration = .seconds(2)

  /// The figures now.
  static func metrics(_ pool: PostgresPool) async throws -> [Metric] {
    let deadline = pool.loop.now + patience
    let (fresh, askedAgain) = (pool.send(outbox, deadline: deadline), pool.send(resends, deadline: deadline))
    let (slotBytes, freshAge) = try await fresh.rows().single().values((Int64, Int64).self)
    let (count, age, dueAge) = try await askedAgain.rows().single().values((Int64, Int64, Int64).self)
    return [
      Metric(
        "orders_oldest_unsettled_seconds", .gauge,
        "Age of the oldest order that waits for its payment or cancellation; 0 when none does.",
        seconds(max(age, freshAge))),
      Metric(
        "outbox_resends", .gauge,
        "Questions to payments that had no answer in time, up to \(resendsMax).", Double(count)),
      Metric(
        "outbox_oldest_seconds", .gauge, "Age of the oldest order of those; 0 when there is none.", seconds(age)),
      Metric(
        "outbox_overdue_seconds", .gauge,
        "How long the first of those waits to be asked again beyond its time; 0 when it does not.", seconds(dueAge)),
      Metric(
        "outbox_bytes", .gauge, "Size of the slots of the outbox, which are emptied in turn.", Double(slotBytes)),
    ]
  }

  private static func seconds(_ microseconds: Int64) -> Double { Double(microseconds) / 1e6 }

  private static var resends: Statement {
    Statement(
      """
      SELECT count(*), greatest(0, coalesce(extract(epoch FROM now() - min(
          CASE WHEN cancels THEN cancel_requested_at ELSE created_at END)), 0) * 1000000)::bigint,
        greatest(0, coalesce(extract(epoch FROM now() - min(due_at)), 0) * 1000000)::bigint
      FROM (SELECT id, cancels, due_at FROM resends LIMIT $1) AS asked JOIN orders USING (id)
      WHERE status = 1 OR (cancels AND status = 2)
      """, resendsMax)
  }

  /// Rows of a slot are in the order of time, so that its first orders without a result are its oldest. What is older than
  /// two turns of the slots is in `resends`.
  private static var outbox: Statement {
    Statement(
      """
      SELECT (SELECT sum(pg_relation_size(inhrelid))::bigint FROM pg_inherits WHERE inhparent = 'outbox'::regclass),
        greatest(0, coalesce(extract(epoch FROM now() - min(created_at)), 0) * 1000000)::bigint
      FROM (
        (SELECT id FROM outbox WHERE slot = 0 LIMIT $1) UNION ALL (SELECT id FROM outbox WHERE slot = 1 LIMIT $1)
        UNION ALL (SELECT id FROM outbox WHERE slot = 2 LIMIT $1) UNION ALL (SELECT id FROM outbox WHERE slot = 3 LIMIT $1)
      ) AS first JOIN orders USING (id) WHERE status = 1
      """, firstRowsMax)
  }
}
