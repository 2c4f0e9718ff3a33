internal import CPQ
internal import EventLoop

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
    /// Statements sent again because a neighbour behind the same Sync had failed.
    package var resent = 0

    static func += (sum: inout Statistics, other: Statistics) {
      sum.syncs += other.syncs
      sum.statements += other.statements
      sum.resent += other.resent
    }
  }

  /// Reads that share a Sync: those behind one that fails are sent again, each alone.
  static let independentMax = 256

  let loop: EventLoop
  /// libpq's connection; never touched after ``lost(_:)``.
  let handle: OpaquePointer
  let watcher: DescriptorWatcher
  private var watched: DescriptorWatcher.Interest = []
  private var queue: [Segment] = []
  /// Statements that go out at the end of the turn.
  private(set) var queuedReplyCount = 0
  private var isFlushScheduled = false
  private var pipeline = Pipeline()
  private var parameterScratch = ParameterScratch()
  private var prepared: [Statement.Key: PreparedStatement] = [:]
  private var preparedCount = 0
  var script: Script?
  private var closeWaiter: UnsafeContinuation<Void, Never>?
  private var lastProgress: LoopInstant
  /// Why the connection is gone.
  private(set) var failure: PostgresError?
  /// Called when answers have arrived.
  var onProgress: (() -> Void)?
  /// Where a read goes that must be sent again; here when nobody is told.
  var onSendAgain: ((Reply) -> Void)?
  /// What it did so far.
  package private(set) var statistics = Statistics()

  /// Takes over a handle that is connected, in pipeline mode and non-blocking.
  init(loop: EventLoop, handle: OpaquePointer) throws(IOError) {
    self.loop = loop
    self.handle = handle
    watcher = try DescriptorWatcher(loop: loop, descriptor: PQsocket(handle))
    lastProgress = loop.now
    watch(.readable)
  }

  /// Runs a read. It shares its Sync with others of the turn, and is sent again when one of those fails: it must change nothing.
  package func query(_ statement: Statement) async throws(PostgresError) -> Rows {
    let reply = Reply(statement)
    enqueue(reply)
    return try await reply.rows()
  }

  /// Runs statements that succeed or fail together, as one transaction in one round trip.
  ///
  /// - Throws: `.unknownOutcome` when the connection is lost before the answer.
  package func execute(_ statements: [Statement]) async throws(PostgresError) -> [Rows] {
    let segment = Segment(.atomic, statements.map(Reply.init))
    enqueue(segment)
    return try await segment.results()
  }

  /// Statements waiting to go out or to be answered.
  var load: Int { queuedReplyCount + pipeline.replyCount }

  var isOpen: Bool { failure == nil }

  /// Queues a read for the end of the turn.
  func enqueue(_ reply: Reply) {
    if let last = queue.last, case .independent = last.kind, last.replies.count < Self.independentMax,
      !reply.travelsAlone, !last.replies[0].travelsAlone, failure == nil
    {
      last.replies.append(reply)
      queuedReplyCount += 1
    } else {
      enqueue(Segment(.independent, [reply]))
    }
  }

  /// Queues a segment for the end of the turn.
  func enqueue(_ segment: Segment) {
    loop.preconditionCurrent()
    if let failure { return segment.fail(failure) }
    queue.append(segment)
    queuedReplyCount += segment.replies.count
    scheduleFlush()
  }

  /// Adds to the part of a transaction that goes out at the end of the turn.
  func enqueue(_ reply: Reply, in transaction: TransactionState, commits: Bool = false) {
    if let failure = failure ?? transaction.failure { return reply.answer(.failure(failure)) }
    if let last = queue.last, case .transaction(let state) = last.kind, state === transaction {
      last.replies.append(reply)
      last.commits = last.commits || commits
      queuedReplyCount += 1
    } else {
      let segment = Segment(.transaction(transaction), [reply])
      segment.commits = commits
      enqueue(segment)
    }
  }

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
}

// MARK: - Sending

extension PostgresConnection {
  private func scheduleFlush() {
    if isFlushScheduled { return }
    isFlushScheduled = true
    loop.atEndOfTurn { self.flush() }
  }

  private func flush() {
    isFlushScheduled = false
    if pipeline.isEmpty { lastProgress = loop.now }
    var sent = 0
    while failure == nil, sent < queue.count, mayGo(queue[sent]) {
      send(queue[sent])
      sent += 1
    }
    if failure != nil { return }
    queue.removeFirst(sent)
    flushToSocket()
  }

  /// A transaction sends its next part when the last one has succeeded: were BEGIN refused, it would commit on its own.
  private func mayGo(_ segment: Segment) -> Bool {
    guard case .transaction(let state) = segment.kind else { return true }
    return !state.isInFlight
  }

  private func send(_ segment: Segment) {
    queuedReplyCount -= segment.replies.count
    if case .transaction(let state) = segment.kind {
      if let failure = state.failure { return segment.fail(failure) }
      state.isInFlight = true
    }
    for reply in segment.replies where failure == nil {
      reply.prepared = preparedStatement(for: reply.statement)
    }
    if failure != nil { return }
    pipeline.sent(segment)
    for reply in segment.replies where failure == nil {
      check(parameterScratch.send(reply, on: handle))
    }
    statistics.statements += segment.replies.count
    statistics.syncs += 1
    if failure == nil { check(PQpipelineSync(handle)) }
  }

  private func preparedStatement(for statement: Statement) -> PreparedStatement {
    if let known = prepared[statement.key], !known.isStale { return known }
    preparedCount += 1
    let new = PreparedStatement(number: preparedCount)
    prepared[statement.key] = new
    pipeline.sent(Segment(.preparation(new)))
    check(parameterScratch.prepare(statement, as: new, on: handle))
    if failure == nil { check(PQpipelineSync(handle)) }
    return new
  }

  /// libpq returns 0 when it is out of memory or has noticed that the connection is gone.
  private func check(_ succeeded: Int32) {
    if succeeded == 0 { lost(PostgresError(.connectionLost, PostgresError.message(of: handle))) }
  }

  func flushToSocket() {
    switch PQflush(handle) {
    case 0: watch(.readable)
    case 1: watch([.readable, .writable])
    default: check(0)
    }
  }

  private func watch(_ interest: DescriptorWatcher.Interest) {
    if interest == watched { return }
    watched = interest
    watcher.watch(interest) { self.happened($0) }
  }
}

// MARK: - Receiving

extension PostgresConnection {
  private func happened(_ interest: DescriptorWatcher.Interest) {
    if interest.contains(.readable) {
      lastProgress = loop.now
      check(PQconsumeInput(handle))
      while failure == nil, !pipeline.isEmpty, PQisBusy(handle) == 0 { receiveEvent() }
      if let script, failure == nil { continueScript(script) }
      onProgress?()
    }
    if failure == nil { flushToSocket() }
  }

  private func receiveEvent() {
    let event = nextEvent()
    if case .failed(let error) = event, error.code == .connectionLost { return lost(error) }
    perform(pipeline.received(event))
  }

  private func nextEvent() -> Pipeline.Event {
    guard let result = PQgetResult(handle) else { return .end }
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return .rows(Rows(result))
    case PGRES_PIPELINE_SYNC:
      PQclear(result)
      return .sync
    case PGRES_PIPELINE_ABORTED:
      PQclear(result)
      return .skipped
    default:
      defer { PQclear(result) }
      return .failed(PostgresError(result: result))
    }
  }

  private func perform(_ action: Pipeline.Action) {
    switch action {
    case .nothing: break
    case .answer(let reply, let result): reply.answer(result)
    case .sendAgain(let reply):
      reply.travelsAlone = true
      statistics.resent += 1
      if let onSendAgain { onSendAgain(reply) } else { enqueue(reply) }
    case .finish(let segment, let result): finish(segment, result)
    case .abandon: lost(PostgresError(.protocolViolation, "answers do not match the statements sent"))
    }
  }

  private func finish(_ segment: Segment, _ result: Result<[Rows], PostgresError>) {
    if case .transaction(let state) = segment.kind {
      state.isInFlight = false
      if case .failure(let error) = result { state.failure = state.failure ?? error }
      if !queue.isEmpty { scheduleFlush() }
    }
    switch segment.kind {
    case .independent, .preparation: break
    case .atomic, .transaction:
      switch result {
      case .success(let rows): for (reply, rows) in zip(segment.replies, rows) { reply.answer(.success(rows)) }
      case .failure(let error): segment.fail(error)
      }
    }
  }

  /// Ends the session: every statement learns what is known of its fate.
  func lost(_ error: PostgresError) {
    if failure != nil { return }
    failure = error
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
