package import Postgres
internal import Wire

/// The table of events that wait for their result, one for each order: what payments was asked last. Rows come in with the
/// state change that they tell of, in the service's own statement, and leave in the statement that writes the result down.
package struct Outbox: Sendable {
  private let pool: PostgresPool

  /// The outbox in the database of `pool`.
  package init(_ pool: PostgresPool) { self.pool = pool }

  /// Takes events that are due to be sent again, and puts off their next time: doubling from 5 s to a minute, with
  /// jitter, so that relays that share the table do not meet.
  ///
  /// Several relays may ask at once: each row goes to one of them.
  package func takeDue(countMax: Int) async throws(PostgresError) -> [OutgoingEvent] {
    let rows = try await pool.execute(
      Statement(
        """
        UPDATE outbox
        SET attempts = attempts + 1,
            due_at = now() + least(5 * 2 ^ least(attempts, 10), 60) * (0.8 + 0.4 * random()) * interval '1 second'
        WHERE id IN (
          SELECT id FROM outbox WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id, subject, type, user_id, payload, traceparent
        """, Int64(countMax)))
    var events: [OutgoingEvent] = []
    for row in rows {
      let (orderID, subject, type, userID, payload, traceparent) = try row.values(
        (UUID, String, String, UUID, [UInt8], String?).self)
      events.append(
        OutgoingEvent(
          id: EventID.of(type, orderID: orderID), subject: subject, type: type, orderID: orderID, userID: userID,
          traceparent: traceparent, payload: payload))
    }
    return events
  }
}
