package import API
package import EventLoop
internal import Postgres
package import Wire

/// What changed, and who wrote an order last.
extension OrderStore {
  // MARK: Following

  /// What has changed since `position`, and the orders among it that somebody wants, all as they stood at one moment.
  ///
  /// - Parameters:
  ///   - position: nil for the present moment alone.
  ///   - wanted: is given that moment and the changes, and says which orders are wanted.
  /// - Returns: that moment, and the orders that exist.
  package func news(
    since position: WatchPosition?, deadline: LoopInstant? = nil,
    wanted: (WatchPosition, [OrderChange]) -> [UUID]
  ) async throws -> (present: WatchPosition, orders: [UUID: OrderHistory]) {
    try await pool.withTransaction(.snapshot, deadline: deadline) { transaction in
      // Before there is a snapshot: rows that a sweep moves while this waits for it are to be in it.
      transaction.send(Statement("LOCK TABLE changes IN ACCESS SHARE MODE"))
      let present = transaction.send(Self.presentMoment)
      let changes = try await transaction.query(Self.changes(since: position?.snapshot))
      let moment = try Self.position(try await present.rows().single(), column: 0)
      let wanted = wanted(moment, try changes.flatMap { try Self.changes($0) })
      var orders: [UUID: OrderHistory] = [:]
      if wanted.isEmpty { return (moment, orders) }
      for row in try await transaction.query(Self.histories(wanted)) {
        let order = try Self.order(row)
        orders[order.id] = OrderHistory(order, finishedAt: try row.value(10))
      }
      return (moment, orders)
    }
  }

  private static let presentMoment = Statement(
    """
    SELECT pg_current_snapshot()::text, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint
    """)

  /// Without a moment, nothing has changed since.
  private static func changes(since snapshot: TransactionSnapshot?) -> Statement {
    Statement(
      """
      SELECT xid::text::bigint, order_ids, user_ids, kinds FROM changes
      WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot)
        AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)
      ORDER BY xid
      """, snapshot?.description)
  }

  private static func histories(_ ids: [UUID]) -> Statement {
    Statement(
      """
      SELECT id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at,
        finished_at
      FROM orders WHERE id = ANY ($1)
      """, ids)
  }

  private static func changes(_ row: Row) throws -> [OrderChange] {
    let (xid, ids, users, kinds) = try row.values((Int64, [UUID], [UUID], [Int16]).self)
    guard ids.count == users.count, ids.count == kinds.count else {
      throw UnreadableChanges("changes of \(ids.count) orders, \(users.count) users, \(kinds.count) kinds")
    }
    return ids.indices.compactMap { index in
      // A kind that a newer process writes is nothing to tell: the states that it leads to come by the others.
      guard let kind = OrderEventKind(rawValue: UInt16(bitPattern: kinds[index])) else { return nil }
      return OrderChange(
        orderID: ids[index], userID: users[index], kind: kind, transaction: UInt64(bitPattern: xid))
    }
  }

  private static func position(_ row: Row, column: Int) throws -> WatchPosition {
    let text: String = try row.value(column)
    let timeline: Int64 = try row.value(column + 1)
    guard let snapshot = TransactionSnapshot(text), let timeline = UInt32(exactly: timeline) else {
      throw UnreadableChanges("\(text) on timeline \(timeline) is no moment")
    }
    return WatchPosition(timeline: timeline, snapshot: snapshot)
  }

  // MARK: Catching up

  /// Orders that were read to be told, oldest first.
  package struct Catch: Sendable {
    /// When they stood so.
    package var present: WatchPosition
    /// The orders.
    package var orders: [Order]
    /// Whether there are more behind them.
    package var hasMore = false
  }

  /// One order, when it was written since `position`.
  package func changed(
    _ id: UUID, since position: WatchPosition?, deadline: LoopInstant? = nil
  ) async throws -> Catch {
    try await Self.caught(
      pool.query(
        Statement(
          """
          SELECT
            id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at,
            now.snapshot, now.timeline
          FROM (
            SELECT pg_current_snapshot()::text AS snapshot,
              ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline
          ) AS now
          LEFT JOIN orders ON id = $1 AND NOT pg_visible_in_snapshot(written_by(orders.xmin), $2::text::pg_snapshot)
          """, id, (position ?? .beginning).snapshot.description), deadline: deadline))
  }

  /// The newest orders of a user.
  package func newest(
    of userID: UUID, count: Int, deadline: LoopInstant? = nil
  ) async throws -> Catch {
    var caught = try await Self.caught(
      pool.query(
        Statement(
          """
          SELECT
            id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at,
            now.snapshot, now.timeline
          FROM (
            SELECT pg_current_snapshot()::text AS snapshot,
              ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline
          ) AS now
          LEFT JOIN LATERAL (
            SELECT * FROM orders WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2
          ) AS newest ON true
          ORDER BY created_at, id
          """, userID, Int64(count)), deadline: deadline))
    caught.hasMore = false
    return caught
  }

  /// The orders of a user that were written since `position`, but not after `end`.
  ///
  /// - Parameters:
  ///   - end: nil for what has been written until now.
  ///   - last: the order behind which the page begins; nil for the first page.
  ///   - size: the most orders of the page.
  package func changed(
    of userID: UUID, since position: WatchPosition, until end: WatchPosition?, behind last: Order?, size: Int,
    deadline: LoopInstant? = nil
  ) async throws -> Catch {
    var caught = try await Self.caught(
      pool.query(
        Statement(
          """
          SELECT
            id, user_id, amount, currency, description, status, reason, created_at, updated_at, cancel_requested_at,
            now.snapshot, now.timeline
          FROM (
            SELECT pg_current_snapshot()::text AS snapshot,
              ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline,
              pg_snapshot_xmax(pg_current_snapshot())::text::bigint - $7 > 1000000000 AS is_long_ago
          ) AS now
          LEFT JOIN LATERAL (
            SELECT * FROM orders
            WHERE user_id = $1 AND (created_at, id) > ($4, $5)
              -- Most orders have not been written for long, which is found out at a glance.
              AND (now.is_long_ago OR age(orders.xmin) <= age(($7 & 4294967295)::text::xid))
              AND NOT pg_visible_in_snapshot(written_by(orders.xmin), $2::text::pg_snapshot)
              AND ($3::text IS NULL OR pg_visible_in_snapshot(written_by(orders.xmin), $3::text::pg_snapshot))
            ORDER BY created_at, id LIMIT $6
          ) AS changed ON true
          ORDER BY created_at, id
          """, userID, position.snapshot.description, end?.snapshot.description,
          last?.createdAt ?? Timestamp(microseconds: 0), last?.id ?? .zero, Int64(size + 1),
          Int64(position.snapshot.first)), deadline: deadline))
    if caught.orders.count > size {
      caught.orders.removeLast()
      caught.hasMore = true
    }
    return caught
  }

  private static func caught(_ rows: Rows) throws -> Catch {
    guard let first = rows.first else { throw UnreadableChanges("no moment") }
    var caught = Catch(present: try position(first, column: 10), orders: [])
    if try first.value(0, as: UUID?.self) == nil { return caught }
    for row in rows { caught.orders.append(try order(row)) }
    return caught
  }
}

/// The database says of changes what makes no sense; the text is for the log.
private struct UnreadableChanges: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
