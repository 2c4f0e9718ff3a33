package import EventLoop

/// Connections to one database, kept up by ``run()``.
///
/// Reads and single statements share connections, many in flight on each. A transaction has a connection to itself;
/// one connection is never given to a transaction, so that reads always move.
// Confined to its event loop; every entry checks it.
package final class PostgresPool: @unchecked Sendable {
  /// What readiness and operators want to know.
  package struct Health: Sendable {
    /// Connections that are up.
    package var connected: Int
    /// Connections there should be.
    package var wanted: Int
    /// Requests that wait for a connection.
    package var waiting: Int
    /// Why a connection was last lost or not made, for operators; nil as long as all went well.
    package var lastError: String?
  }

  /// A place for a connection.
  // Confined to the pool's event loop.
  final class Slot: @unchecked Sendable {
    var connection: PostgresConnection?
    var isLeased = false
    var isConnected: Bool { connection?.isOpen == true }
  }

  /// Statements in flight on a connection beyond which requests wait.
  private static let loadMax = 1024
  /// Reads of one turn that travel together before the next connection is considered.
  private static let companyMax = 64

  /// The loop that runs this pool.
  package let loop: EventLoop
  let configuration: PostgresConfiguration
  let slots: [Slot]
  private let waitingRequests: WaitingLine
  private let waitingLeases: WaitingLine
  /// Where the last read went.
  private var readSlot: Slot?
  private var retired = PostgresConnection.Statistics()
  private var closingWaiter: UnsafeContinuation<Void, Never>?
  private(set) var isClosing = false
  var lastError: PostgresError?
  /// Whether the database is away for longer than anybody waits for it.
  private var isAway = false
  private var outageTimer: LoopTimer?

  /// A pool without connections yet: ``run()`` makes them. Only on the loop.
  package init(loop: EventLoop, configuration: PostgresConfiguration) {
    loop.preconditionCurrent()
    precondition(configuration.connectionCount > 0, "a pool without connections")
    self.loop = loop
    self.configuration = configuration
    slots = (0..<configuration.connectionCount).map { _ in Slot() }
    waitingRequests = WaitingLine(loop: loop)
    waitingLeases = WaitingLine(loop: loop)
    outageBegan()
  }

  /// Queues a read without waiting for its rows.
  ///
  /// It shares its Sync with others of the turn and is sent again when one of those fails: it must change nothing.
  /// When `deadline` passes before it goes out, it never does; after that `statement_timeout` stops it soon. A caller
  /// that wants to be answered by then cancels the task that waits.
  package func send(_ statement: Statement, deadline: LoopInstant? = nil) -> Reply {
    let reply = Reply(statement, deadline: deadline)
    submit(.read(reply), deadline)
    return reply
  }

  /// Runs a read; see ``send(_:deadline:)``.
  ///
  /// - Throws: `.overloaded`, `.timeout`, `.closed` before it was sent; `.connectionLost`, `.timeout`, `.server` after;
  ///   `.deadlineExceeded` and `.cancelled` at any time.
  package func query(_ statement: Statement, deadline: LoopInstant? = nil) async throws(PostgresError) -> Rows {
    try await send(statement, deadline: deadline).rows()
  }

  /// Runs a statement as a transaction of its own, in one round trip; its effect is had once or not at all.
  ///
  /// Cancelling the task takes it back as long as it was not sent; after that its outcome is waited for.
  /// - Throws: as ``query(_:deadline:)``, and `.unknownOutcome` when the connection was lost before the answer.
  @discardableResult
  package func execute(_ statement: Statement, deadline: LoopInstant? = nil) async throws(PostgresError) -> Rows {
    try await execute([statement], deadline: deadline)[0]
  }

  /// Runs statements that succeed or fail together, as one transaction in one round trip; see
  /// ``execute(_:deadline:)-(Statement,_)``.
  @discardableResult
  package func execute(
    _ statements: [Statement], deadline: LoopInstant? = nil
  ) async throws(PostgresError) -> [Rows] {
    let segment = Segment(.atomic, statements.map { Reply($0, deadline: deadline) })
    submit(.atomic(segment), deadline)
    return try await segment.results()
  }

  /// Runs `body` in a transaction on a connection of its own; see
  /// ``PostgresConnection/withTransaction(_:deadline:_:)``.
  ///
  /// - Throws: also `.overloaded`, `.timeout`, `.closed` when it got no connection, and `body` never ran.
  package func withTransaction<Result>(
    _ isolation: IsolationLevel = .readCommitted, deadline: LoopInstant? = nil,
    _ body: (borrowing Transaction) async throws -> Result
  ) async throws -> Result {
    let request = LeaseRequest()
    submit(.lease(request), deadline)
    let lease = try await request.lease()
    defer { release(lease.slot) }
    return try await lease.connection.withTransaction(isolation, deadline: deadline, body)
  }

  /// How the connections are.
  package var health: Health {
    Health(
      connected: slots.count { $0.isConnected }, wanted: slots.count,
      waiting: waitingRequests.count + waitingLeases.count, lastError: lastError.map { String(reflecting: $0) })
  }

  /// What all connections did so far.
  package var statistics: PostgresConnection.Statistics {
    slots.reduce(into: retired) { sum, slot in
      if let connection = slot.connection { sum += connection.statistics }
    }
  }

  /// Refuses requests from now on, finishes what was sent, and lets ``run()`` return.
  package func beginClosing() {
    loop.preconditionCurrent()
    if isClosing { return }
    isClosing = true
    outageTimer?.cancel()
    failWaiting(PostgresError(.closed, "the pool is closing"))
    closeIdle()
    closingWaiter?.resume()
    closingWaiter = nil
  }

  /// Returns when ``beginClosing()`` was called.
  func waitUntilClosing() async {
    if isClosing { return }
    await withUnsafeContinuation { closingWaiter = $0 }
  }
}

// MARK: - Requests

extension PostgresPool {
  /// Starts a request on the connection that suits it best, or lets it wait for one.
  private func submit(_ request: PoolRequest, _ deadline: LoopInstant?) {
    loop.preconditionCurrent()
    if isClosing { return request.fail(PostgresError(.closed, "the pool is closing")) }
    if let deadline, deadline <= loop.now { return request.fail(.deadlineExceeded) }
    if let slot = slot(for: request) { return start(request, on: slot) }
    if isAway { return request.fail(.away) }
    let waiting = waitingRequests.count + waitingLeases.count
    // Nobody moves while there is no connection; that is for the outage's timer.
    let isStuck = outageTimer == nil && max(waitingRequests.age, waitingLeases.age) > configuration.linePatience
    if waiting >= configuration.waitingMax || isStuck {
      return request.fail(PostgresError(.overloaded, "\(waiting) requests wait for a connection"))
    }
    let patience = deadline.map { $0 - loop.now } ?? configuration.waitMax
    let code: PostgresError.Code = deadline == nil ? .timeout : .deadlineExceeded
    let impatience = PostgresError(code, "no connection came free in time")
    if case .lease = request {
      waitingLeases.append(request, patience: patience, impatience: impatience)
    } else {
      waitingRequests.append(request, patience: patience, impatience: impatience)
    }
  }

  /// The connection to start a request on; nil when it has to wait.
  ///
  /// Reads look from the front and writes from the back, so that they meet on a connection only when all are busy. A
  /// turn's reads go together, behind one Sync.
  private func slot(for request: PoolRequest) -> Slot? {
    switch request {
    case .read:
      if let slot = readSlot, !slot.isLeased, let queued = slot.connection?.queuedReplyCount, queued > 0,
        queued < Self.companyMax
      {
        return slot
      }
      readSlot = leastLoaded(of: slots)
      return readSlot
    case .atomic: return leastLoaded(of: slots.reversed())
    case .lease:
      let leased = slots.count { $0.isLeased }
      let connected = slots.count { $0.isConnected }
      return leased < max(1, connected - 1) ? leastLoaded(of: slots.reversed()) : nil
    }
  }

  private func leastLoaded(of slots: some Collection<Slot>) -> Slot? {
    var best: (slot: Slot, load: Int)?
    for slot in slots where !slot.isLeased && slot.isConnected {
      guard let load = slot.connection?.load, load < best?.load ?? Self.loadMax else { continue }
      best = (slot, load)
      if load == 0 { break }
    }
    return best?.slot
  }

  private func start(_ request: PoolRequest, on slot: Slot) {
    guard let connection = slot.connection else { preconditionFailure("a request on a missing connection") }
    switch request {
    case .read(let reply): connection.enqueue(reply)
    case .atomic(let segment): connection.enqueue(segment)
    case .lease(let lease):
      slot.isLeased = true
      lease.grant(Lease(slot: slot, connection: connection))
    }
  }

  private func release(_ slot: Slot) {
    slot.isLeased = false
    serveWaiting()
  }

  /// Starts what waits, as far as connections are free.
  private func serveWaiting() {
    if isClosing { return closeIdle() }
    while let next = waitingRequests.first, let slot = slot(for: next) {
      _ = waitingRequests.popFirst()
      start(next, on: slot)
    }
    while let next = waitingLeases.first, let slot = slot(for: next) {
      _ = waitingLeases.popFirst()
      start(next, on: slot)
    }
  }

  private func closeIdle() {
    for slot in slots where !slot.isLeased && slot.connection?.load == 0 { slot.connection?.close() }
  }
}

// MARK: - Outages

extension PostgresPool {
  /// There is no connection any more, or not yet.
  private func outageBegan() {
    outageTimer = loop.schedule(after: configuration.outagePatience) { [weak self] in
      self?.isAway = true
      self?.failWaiting(.away)
    }
  }

  private func outageEnded() {
    outageTimer?.cancel()
    outageTimer = nil
    isAway = false
  }

  private func failWaiting(_ error: PostgresError) {
    while let request = waitingRequests.popFirst() ?? waitingLeases.popFirst() { request.fail(error) }
  }
}

extension PostgresError {
  /// No connection can be had.
  fileprivate static let away = PostgresError(.connectionLost, "the database cannot be reached")
}

// MARK: - Connections

extension PostgresPool {
  /// Puts a new connection to work, and returns when it has ended.
  func serve(_ connection: PostgresConnection, in slot: Slot) async {
    slot.connection = connection
    outageEnded()
    connection.onProgress = { [unowned self] in serveWaiting() }
    connection.onSendAgain = { [unowned self] in submit(.read($0), $0.deadline) }
    serveWaiting()
    let reason = await connection.waitUntilClosed()
    if !isClosing { lastError = reason }
    connection.onProgress = nil
    connection.onSendAgain = nil
    slot.connection = nil
    retired += connection.statistics
    if !isClosing, !slots.contains(where: \.isConnected) { outageBegan() }
  }

  /// Closes every connection now; what is in flight fails.
  func closeAll() {
    beginClosing()
    for slot in slots { slot.connection?.close() }
  }
}
