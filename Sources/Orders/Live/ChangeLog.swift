internal import EventLoop
package import Postgres

/// The table `changes`: what has lain there for some time is truncated, slot by slot, as the outbox is.
// Confined to its event loop.
package final class ChangeLog: @unchecked Sendable {
  /// How long a change is kept at least, from its commit on.
  package static let keepTime: Duration = .seconds(5)
  /// How long a slot's lock is waited for: looks queue behind, and what they tell comes late by as much.
  private static let lockPatience: Duration = .milliseconds(100)
  /// The same after it was waited for in vain again and again: then it must be.
  private static let lockPatienceMax: Duration = .seconds(2)

  /// How often in a row that was too little.
  private var refusals = 0
  private let loop: EventLoop
  private let keepTime: Duration
  private let pool: PostgresPool
  /// Moments of the database, and when they had passed, the newest last.
  private var moments: [(snapshot: String, at: LoopInstant)] = []

  /// The table in the database of `pool`. Only tests keep changes for another time.
  package init(_ pool: PostgresPool, keepTime: Duration = ChangeLog.keepTime) {
    loop = pool.loop
    self.keepTime = keepTime
    self.pool = pool
  }

  /// Truncates a slot that is not written any more, once the time is up of what lies there. What has been written late, or
  /// was committed late, moves to `present`, the slot that is written now: nobody is to miss it.
  ///
  /// - Returns: whether that was possible: no, when somebody else holds the slot, or too little time has passed.
  @discardableResult
  package func truncate(_ slot: OutboxSlot, movingTo present: OutboxSlot) async throws -> Bool {
    let kept = moments.last { loop.now - $0.at >= keepTime }
    let snapshot: String = try await pool.query(Statement("SELECT pg_current_snapshot()::text")).single().value(0)
    moments = moments.suffix(2) + [(snapshot, loop.now)]
    guard let kept else { return false }
    let isEmpty = try await pool.query(Statement("SELECT FROM changes WHERE slot = $1 LIMIT 1", slot.number)).isEmpty
    if isEmpty { return true }
    do {
      try await pool.withTransaction { transaction in
        let patience = min(Self.lockPatience * (1 << min(refusals, 10)), Self.lockPatienceMax)
        transaction.send(
          Statement("SELECT set_config('lock_timeout', $1, true)", "\(patience.millisecondsRoundedUp)ms"))
        transaction.send(Self.lock(slot))
        transaction.send(Self.move(slot, to: present, notIn: kept.snapshot))
        transaction.send(Self.truncation(of: slot))
      }
      refusals = 0
      return true
    } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
      refusals += 1
      return false
    }
  }

  private static func move(_ slot: OutboxSlot, to present: OutboxSlot, notIn snapshot: String) -> Statement {
    Statement(
      """
      INSERT INTO changes (slot, xid, order_ids, user_ids, kinds)
      SELECT $2, xid, order_ids, user_ids, kinds FROM changes
      WHERE slot = $1 AND NOT pg_visible_in_snapshot(xid, $3::text::pg_snapshot)
      """, slot.number, present.number, snapshot)
  }

  private static func lock(_ slot: OutboxSlot) -> Statement {
    switch slot.number {
    case 0: Statement("LOCK TABLE changes_0 IN ACCESS EXCLUSIVE MODE")
    case 1: Statement("LOCK TABLE changes_1 IN ACCESS EXCLUSIVE MODE")
    case 2: Statement("LOCK TABLE changes_2 IN ACCESS EXCLUSIVE MODE")
    default: Statement("LOCK TABLE changes_3 IN ACCESS EXCLUSIVE MODE")
    }
  }

  private static func truncation(of slot: OutboxSlot) -> Statement {
    switch slot.number {
    case 0: Statement("TRUNCATE changes_0")
    case 1: Statement("TRUNCATE changes_1")
    case 2: Statement("TRUNCATE changes_2")
    default: Statement("TRUNCATE changes_3")
    }
  }
}
