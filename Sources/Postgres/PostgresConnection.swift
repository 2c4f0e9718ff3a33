internal import CPQ
package import EventLoop

/// One session with a server, through libpq's pipeline mode.
///
/// Statements queue up during a turn of the loop and go out at its end, reads of all callers behind one Sync. Nothing
/// waits for an answer to the statement before it, except a transaction's own statements for its BEGIN. Whoever made
/// a connection closes it.
// Confined to its event loop; every entry checks it.
package final class PostgresConnection: @unchecked Sendable {
  /// What a connection did since it was made.
  package struct Statistics: Sendable {
    /// Sync messages sent, those that prepare statements not counted: each is a round trip, and a commit outside BEGIN.
    package var syncs = 0
    /// Statements sent, BEGIN and COMMIT among them.
    package var statements = 0
    /// Statements sent again because a neighbour behind the same Sync had failed, or a cancel request had hit them.
    package var resent = 0
    /// Changes of `statement_timeout`, which count as statements too.
    package var timeoutChanges = 0
    /// Requests to the server to stop a statement.
    package var cancels = 0

    static func += (sum: inout Statistics, other: Statistics) {
      sum.syncs += other.syncs
      sum.statements += other.statements
      sum.resent += other.resent
      sum.timeoutChanges += other.timeoutChanges
      sum.cancels += other.cancels
    }
  }

  /// Reads that share a Sync: those behind one that fails are sent again, each alone.
  static let independentMax = 256

  let loop: EventLoop
  /// libpq's connection; never touched after ``lost(_:)``.
  let handle: OpaquePointer
  let watcher: DescriptorWatcher
  var watched: DescriptorWatcher.Interest = []
  var queue: [Segment] = []
  /// Statements that go out at the end of the turn.
  var queuedReplyCount = 0
  var isFlushScheduled = false
  var pipeline = Pipeline()
  var parameterScratch = ParameterScratch()
  var prepared: [Statement.Key: PreparedStatement] = [:]
  var preparedCount = 0
  var timeout: StatementTimeout
  var cancelling = Cancelling()
  var script: Script?
  private var closeWaiter: UnsafeContinuation<Void, Never>?
  var lastProgress: LoopInstant
  /// Why the connection is gone.
  private(set) var failure: PostgresError?
  /// Called when answers have arrived.
  var onProgress: (() -> Void)?
  /// Where a read goes that must be sent again; here when nobody is told.
  var onSendAgain: ((Reply) -> Void)?
  /// What it did so far.
  package internal(set) var statistics = Statistics()

  /// Takes over a handle that is connected, in pipeline mode and non-blocking, whose session gives a statement so long.
  init(loop: EventLoop, handle: OpaquePointer, statementMax: Duration) throws(IOError) {
    self.loop = loop
    self.handle = handle
    timeout = StatementTimeout(max: statementMax)
    watcher = try DescriptorWatcher(loop: loop, descriptor: PQsocket(handle))
    lastProgress = loop.now
    watch(.readable)
  }

  /// Runs a read. It shares its Sync with others of the turn, and is sent again when one of those fails: it must change nothing.
  package func query(_ statement: Statement, deadline: LoopInstant? = nil) async throws(PostgresError) -> Rows {
    let reply = Reply(statement, deadline: deadline)
    enqueue(reply)
    return try await reply.rows()
  }

  /// Runs statements that succeed or fail together, as one transaction in one round trip.
  ///
  /// - Throws: `.unknownOutcome` when the connection is lost before the answer.
  package func execute(
    _ statements: [Statement], deadline: LoopInstant? = nil
  ) async throws(PostgresError) -> [Rows] {
    let segment = Segment(.atomic, statements.map { Reply($0, deadline: deadline) })
    enqueue(segment)
    return try await segment.results()
  }

  /// Statements waiting to go out or to be answered.
  var load: Int { queuedReplyCount + pipeline.replyCount }

  var isOpen: Bool { failure == nil }

  /// Ends the session now; what is in flight fails.
  package func close() {
    loop.preconditionCurrent()
    lost(PostgresError(.closed, "closed by this side"))
  }

  /// Returns when the session has ended, with the reason.
  func waitUntilClosed() async -> PostgresError? {
    if failure == nil { await withUnsafeContinuation { closeWaiter = $0 } }
    return failure
  }

  /// Gives the connection up when the server has owed an answer for longer than `limit`.
  func closeIfStalled(for limit: Duration) {
    if pipeline.isEmpty || loop.now - lastProgress < limit { return }
    lost(PostgresError(.connectionLost, "the server did not answer for \(limit)"))
  }

  /// Ends the session: every statement learns what is known of its fate.
  func lost(_ error: PostgresError) {
    if failure != nil { return }
    failure = error
    cancelling.timer?.cancel()
    watcher.close()
    PQfinish(handle)
    while let segment = pipeline.abandonFirst() {
      let unknown = segment.commits ? PostgresError(.unknownOutcome, error.message) : error
      segment.fail(segment.failure ?? unknown)
    }
    for segment in queue { segment.fail(error) }
    queue = []
    queuedReplyCount = 0
    script?.finish(error)
    script = nil
    closeWaiter?.resume()
    closeWaiter = nil
    onProgress?()
  }
}
