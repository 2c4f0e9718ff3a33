package import Postgres

/// The SQL on the table `idempotency_keys`, which every database has whose service changes something.
///
/// A key is a row in the slot of its day, and in the slot of the day before for two minutes after midnight. So two
/// transactions with the same key always meet in one of the slots, unless one began two minutes before the other, which has
/// found its row then: no call is given so much time. The day is that of the database's clock.
package enum KeyTable {
  /// What was answered under keys, in whatever slot; see ``answers(_:)``.
  package static func find(_ keys: [IdempotencyKey]) -> Statement {
    Statement(
      """
      SELECT input.scope, input.key, found.request, found.response
      FROM unnest($1::text[], $2::text[]) AS input (scope, key),
        -- Each by its key: OFFSET keeps the server from reading them all instead.
        LATERAL (
          SELECT request, response FROM idempotency_keys AS kept
          WHERE kept.key = input.key AND kept.scope = input.scope OFFSET 0
        ) AS found
      """, keys.map(\.scope), keys.map(\.value))
  }

  /// Reads the rows of ``find(_:)``, if that was asked at all.
  package static func answers(_ rows: Rows?) throws(PostgresError) -> KeyedAnswers {
    guard let rows else { return KeyedAnswers() }
    var answers: [KeyedAnswer] = []
    answers.reserveCapacity(rows.count)
    for row in rows {
      let (scope, value, request, response) = try row.values((String, String, [UInt8], [UInt8]).self)
      let asked = IdempotentRequest(IdempotencyKey(scope: scope, value: value), request: request)
      answers.append(KeyedAnswer(to: asked, response: response))
    }
    return KeyedAnswers(answers)
  }

  /// Writes down first answers; part of the transaction that has their effects.
  ///
  /// A key that another transaction has taken meanwhile is waited for, and breaks the primary key: the transaction is
  /// rolled back, repeated, and finds it. Keys are taken in their order, so nobody waits in a circle.
  package static func insert(_ answers: [KeyedAnswer]) -> Statement {
    Statement(
      """
      INSERT INTO idempotency_keys (slot, scope, key, request, response, created_at)
      SELECT slot, scope, key, request, response, now()
      FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[]) AS input (scope, key, request, response),
        idempotency_slots('2 minutes', '0 minutes') AS slot
      ORDER BY key, scope, slot
      """, answers.map(\.request.key.scope), answers.map(\.request.key.value), answers.map(\.request.request),
      answers.map(\.response))
  }

  /// Truncates the slot whose keys are older than a day, if there is one that is not empty: the number of slots that were.
  ///
  /// Waits for a lock for 200 ms at most, and fails then.
  static var sweep: Statement { Statement("SELECT sweep_idempotency_keys()") }
}
