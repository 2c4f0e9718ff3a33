internal import API
package import EventLoop
package import Messaging
package import Postgres
package import Service
internal import Wire

/// What payments is being asked about orders, and has not answered.
///
/// A row comes with each order, in the same transaction, into the slot of the time. A slot whose turn is over is swept: what
/// has no result goes to the table `resends`, and the slot is truncated. Most orders have their result by then.
// Confined to its event loop; every entry checks it.
package final class OrderOutbox: @unchecked Sendable {
  /// How often it is looked at whether a slot is to be swept.
  private static let interval: Duration = .seconds(1)
  /// How long a slot's lock is waited for. Whoever copies the database (pg_dump) has it for long: then the slot is only read.
  private static let lockPatience = "1s"

  private let pool: PostgresPool
  private let log: Log
  private let stopping: LoopSignal
  private let changeLog: ChangeLog
  private var isStopping = false
  private var sweptTurn: Int64 = 0

  /// The outbox in the database of `pool`.
  package init(loop: EventLoop, pool: PostgresPool, log: Log) {
    self.pool = pool
    self.log = log
    stopping = LoopSignal(loop: loop)
    changeLog = ChangeLog(pool)
  }

  /// The sweeping as a part of the process.
  package var part: Part {
    Part("outbox", run: { await self.run() }, beginGracefulShutdown: { self.beginGracefulShutdown() })
  }

  /// Ends the sweeping.
  package func beginGracefulShutdown() {
    isStopping = true
    stopping.signal()
  }

  /// Takes events that are due to be sent again, and puts off their next time: doubling from 5 s to a minute, with
  /// jitter, so that relays that share the table do not meet.
  ///
  /// Several relays may ask at once: each row goes to one of them. A row whose answer came while it was made is dropped.
  package func takeDue(countMax: Int) async throws(PostgresError) -> [OutgoingEvent] {
    let rows = try await pool.execute(
      Statement(
        """
        WITH due AS MATERIALIZED (
          SELECT resends.id, status = 1 OR (cancels AND status = 2) AS is_open
          FROM resends JOIN orders ON orders.id = resends.id
          WHERE due_at <= now() ORDER BY due_at LIMIT $1 FOR UPDATE OF resends SKIP LOCKED
        ), answered AS (
          DELETE FROM resends USING due WHERE resends.id = due.id AND NOT is_open
        )
        UPDATE resends
        SET attempts = attempts + 1,
          due_at = now() + least(5 * 2 ^ least(attempts, 10), 60) * (0.8 + 0.4 * random()) * interval '1 second'
        FROM due, orders WHERE resends.id = due.id AND is_open AND orders.id = due.id
        RETURNING orders.id, user_id, amount, currency, created_at, cancel_requested_at, cancels, traceparent
        """, Int64(countMax)))
    var events: [OutgoingEvent] = []
    events.reserveCapacity(rows.count)
    for row in rows { events.append(try Self.event(row)) }
    return events
  }

  private static func event(_ row: Row) throws(PostgresError) -> OutgoingEvent {
    let (id, userID, amount, currency, createdAt) = try row.values((UUID, UUID, Int64, String, Timestamp).self)
    let cancelRequestedAt: Timestamp? = try row.value(5)
    let cancels: Bool = try row.value(6)
    let order = Order(
      id: id, userId: userID, amount: amount, currency: currency, createdAt: createdAt,
      cancelRequestedAt: cancelRequestedAt)
    let traceparent: String? = try row.value(7)
    return cancels ? order.cancelled.event(traceparent: traceparent) : order.created.event(traceparent: traceparent)
  }

  // MARK: Sweeping

  /// Sweeps until ``beginGracefulShutdown()``.
  package func run() async {
    // What another process left, or this one before it crashed.
    for number in 0..<OutboxSlot.count where !isStopping { await sweep(OutboxSlot(number), isOver: false) }
    while !isStopping, !Task.isCancelled {
      let turn = OutboxSlot.turn(at: .now)
      if turn != sweptTurn {
        sweptTurn = turn
        let present = OutboxSlot(at: .now)
        await sweep(present.toBeSwept, isOver: true)
        await sweepChanges(present)
      }
      await stopping.wait(atMost: Self.interval)
    }
  }

  /// - Parameter isOver: whether the slot is not written now, and may be truncated.
  private func sweep(_ slot: OutboxSlot, isOver: Bool) async {
    do {
      if isOver, try await truncate(slot) { return }
      try await pool.execute(Self.move(slot))
    } catch {
      log.warning("the outbox cannot be swept", [.error: String(reflecting: error)])
    }
  }

  private func sweepChanges(_ present: OutboxSlot) async {
    do {
      try await changeLog.truncate(present.toBeSwept, movingTo: present)
    } catch {
      log.warning("the changes cannot be truncated", [.error: String(reflecting: error)])
    }
  }

  /// Moves what has no result, and truncates the slot.
  ///
  /// - Returns: whether that was possible: no, when somebody else holds the slot.
  package func truncate(_ slot: OutboxSlot) async throws -> Bool {
    let isEmpty = try await pool.query(Statement("SELECT FROM outbox WHERE slot = $1 LIMIT 1", slot.number)).isEmpty
    if isEmpty { return true }
    do {
      try await pool.withTransaction { transaction in
        transaction.send(Statement("SELECT set_config('lock_timeout', $1, true)", Self.lockPatience))
        // Waits for whoever writes into it late, and sees what that has written.
        transaction.send(Self.lock(slot))
        transaction.send(Self.move(slot))
        transaction.send(Self.truncation(of: slot))
      }
      return true
    } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
      return false
    }
  }

  /// Has the orders of a slot that are still NEW asked about again, unless that is done already.
  package static func move(_ slot: OutboxSlot) -> Statement {
    Statement(
      """
      INSERT INTO resends (id, cancels, traceparent, due_at)
      SELECT outbox.id, false, traceparent, now() FROM outbox JOIN orders ON orders.id = outbox.id
      WHERE slot = $1 AND status = 1
      ON CONFLICT (id) DO NOTHING
      """, slot.number)
  }

  private static func lock(_ slot: OutboxSlot) -> Statement {
    switch slot.number {
    case 0: Statement("LOCK TABLE outbox_0 IN ACCESS EXCLUSIVE MODE")
    case 1: Statement("LOCK TABLE outbox_1 IN ACCESS EXCLUSIVE MODE")
    case 2: Statement("LOCK TABLE outbox_2 IN ACCESS EXCLUSIVE MODE")
    default: Statement("LOCK TABLE outbox_3 IN ACCESS EXCLUSIVE MODE")
    }
  }

  private static func truncation(of slot: OutboxSlot) -> Statement {
    switch slot.number {
    case 0: Statement("TRUNCATE outbox_0")
    case 1: Statement("TRUNCATE outbox_1")
    case 2: Statement("TRUNCATE outbox_2")
    default: Statement("TRUNCATE outbox_3")
    }
  }
}
