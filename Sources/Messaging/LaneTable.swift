package import Postgres

/// The SQL on the table `lanes`, which every database has whose service consumes a stream.
package enum LaneTable {
  /// Writes down how far lanes are processed; part of the transaction that has the effect of what was processed.
  ///
  /// Until that ends, the lanes cannot change hands. ``check(_:against:)`` tells whether they had not before.
  package static func advance(_ places: [LanePlace]) -> Statement {
    Statement(
      """
      UPDATE lanes SET stream = place.stream, sequence = place.sequence
      FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::bigint[]) AS place (lane, epoch, stream, sequence)
      WHERE lanes.lane = place.lane AND lanes.epoch = place.epoch
      RETURNING lanes.lane
      """, places.map { $0.lane }, places.map { $0.epoch }, places.map { $0.stream }, places.map { $0.sequence })
  }

  /// Makes sure that all of `places` were written.
  ///
  /// - Throws: ``LanesLost``.
  package static func check(_ written: Rows, against places: [LanePlace]) throws {
    if written.count == places.count { return }
    let kept = Set(try written.map { row throws(PostgresError) -> Int16 in try row.value(0) })
    throw LanesLost(places: places.filter { !kept.contains($0.lane) })
  }

  /// How far a lane is processed: which stream, by the time when it was created, and its last message.
  package static func place(of lane: Int16) -> Statement {
    Statement("SELECT stream, sequence FROM lanes WHERE lane = $1", lane)
  }

  /// The key of the lock that every process of the service shares, beside those of the lanes.
  private static let membership: Int32 = -1
  /// The first half of the keys of all advisory locks on lanes.
  private static let lockClass: Int32 = 0x676f_7a6c

  /// Makes the session one of those that share the lanes.
  static var join: Statement {
    Statement("SELECT pg_advisory_lock_shared($1, $2)", lockClass, membership)
  }

  /// Counts the sessions that share the lanes.
  static var countMembers: Statement {
    Statement(
      """
      SELECT count(*) FROM pg_locks
      WHERE locktype = 'advisory' AND granted AND classid::bigint = $1 AND objid = $2::int::oid AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      """, Int64(lockClass), membership)
  }

  /// Locks for the session up to `count` of `lanes` that nobody else has, and makes sure that whoever had them before writes
  /// nothing any more.
  static func take(_ count: Int, of lanes: [Int16]) -> Statement {
    Statement(
      """
      WITH taken AS MATERIALIZED (
        SELECT lane FROM unnest($2::smallint[]) AS lane WHERE pg_try_advisory_lock($1, lane::int) LIMIT $3)
      UPDATE lanes SET epoch = epoch + 1 FROM taken WHERE lanes.lane = taken.lane
      RETURNING lanes.lane, epoch, stream, sequence
      """, lockClass, lanes, Int64(count))
  }

  /// Lets go of lanes that the session has.
  static func release(_ lanes: [Int16]) -> Statement {
    Statement("SELECT pg_advisory_unlock($1, lane::int) FROM unnest($2::smallint[]) AS lane", lockClass, lanes)
  }
}
