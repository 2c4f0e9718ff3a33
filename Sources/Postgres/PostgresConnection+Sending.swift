internal import CPQ
internal import EventLoop

extension PostgresConnection {
  /// Queues a read for the end of the turn.
  func enqueue(_ reply: Reply) {
    if let last = queue.last, case .independent = last.kind, last.replies.count < Self.independentMax,
      !reply.travelsAlone, !last.replies[0].travelsAlone, failure == nil
    {
      last.append(reply)
      queuedReplyCount += 1
    } else {
      enqueue(Segment(.independent, [reply]))
    }
  }

  /// Queues a segment for the end of the turn.
  func enqueue(_ segment: Segment) {
    loop.preconditionCurrent()
    if let failure { return segment.fail(failure) }
    segment.held(by: self)
    queue.append(segment)
    queuedReplyCount += segment.replies.count
    scheduleFlush()
  }

  /// Adds to the part of a transaction that goes out at the end of the turn.
  func enqueue(_ reply: Reply, in transaction: TransactionState, commits: Bool = false) {
    if let failure = failure ?? transaction.failure { return reply.answer(.failure(failure)) }
    if let last = queue.last, case .transaction(let state) = last.kind, state === transaction {
      last.append(reply)
      last.commits = last.commits || commits
      queuedReplyCount += 1
    } else {
      let segment = Segment(.transaction(transaction), [reply])
      segment.commits = commits
      enqueue(segment)
    }
  }

  func scheduleFlush() {
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

  /// Nothing goes while a cancel request is on its way, which might stop it. A transaction begins when all that is in
  /// flight is answered, so that no cancel request can hit it that is meant for a read; and it sends its next part when
  /// the last one has succeeded: were BEGIN refused, that would commit on its own.
  private func mayGo(_ segment: Segment) -> Bool {
    if cancelling.isUnderWay { return false }
    guard case .transaction(let state) = segment.kind else { return true }
    return state.hasBegun ? state.inFlight == nil : pipeline.isEmpty
  }

  /// Sends what of a segment is still wanted.
  private func send(_ segment: Segment) {
    queuedReplyCount -= segment.replies.count
    dropExpired(segment)
    if segment.replies.isEmpty { return }
    switch segment.kind {
    case .independent, .atomic: setTimeout(for: segment.deadline)
    case .transaction(let state):
      if let failure = state.failure { return segment.fail(failure) }
      setTimeout(of: state, for: segment)
      state.hasBegun = true
      state.inFlight = segment
    // In a transaction that failed nothing could be set, and its end is quick.
    case .rollback, .preparation, .timeout: break
    }
    transmit(segment)
  }

  /// Takes out the statements whose time is up: they are never sent.
  private func dropExpired(_ segment: Segment) {
    let now = loop.now
    func isExpired(_ reply: Reply) -> Bool { reply.deadline.map { $0 <= now } ?? false }
    guard segment.replies.contains(where: isExpired) else { return }
    switch segment.kind {
    case .independent:
      for reply in segment.replies where isExpired(reply) { reply.answer(.failure(.deadlineExceeded)) }
      segment.replies.removeAll(where: isExpired)
    case .atomic:
      segment.fail(.deadlineExceeded)
      segment.replies = []
    case .transaction(let state): state.failure = state.failure ?? .deadlineExceeded
    case .rollback, .preparation, .timeout: break
    }
  }

  // MARK: Time limits

  /// Gives the session the `statement_timeout` that fits the latest deadline of what comes next. A statement of that
  /// whose deadline is earlier is stopped by its caller.
  private func setTimeout(for deadline: LoopInstant?) {
    guard let step = timeout.change(for: deadline, now: loop.now) else { return }
    statistics.timeoutChanges += 1
    transmit(Segment(.timeout, [Reply(Self.changeOfTimeout(to: step, inTransaction: false))]))
  }

  /// Gives a transaction its time: the session's setting when it begins, a shorter one of its own when little is left.
  private func setTimeout(of state: TransactionState, for segment: Segment) {
    let step = timeout.step(for: state.deadline, now: loop.now)
    defer { state.timeoutMilliseconds = step }
    guard state.hasBegun else { return setTimeout(for: state.deadline) }
    if step == state.timeoutMilliseconds { return }
    statistics.timeoutChanges += 1
    segment.replies.insert(Reply(Self.changeOfTimeout(to: step, inTransaction: true)), at: 0)
  }

  private static func changeOfTimeout(to milliseconds: UInt64, inTransaction isLocal: Bool) -> Statement {
    Statement("SELECT set_config('statement_timeout', $1, $2)", "\(milliseconds)ms", isLocal)
  }

  // MARK: libpq

  private func transmit(_ segment: Segment) {
    for reply in segment.replies where failure == nil { reply.prepared = preparedStatement(for: reply) }
    // What is lost here was neither queued any more nor sent yet.
    if let failure { return segment.fail(failure) }
    pipeline.sent(segment)
    for reply in segment.replies where failure == nil {
      check(parameterScratch.send(reply, on: handle))
    }
    statistics.statements += segment.replies.count
    statistics.syncs += 1
    if failure == nil { check(PQpipelineSync(handle)) }
  }

  private func preparedStatement(for reply: Reply) -> PreparedStatement {
    let statement = reply.statement
    if let known = prepared[statement.key], !known.isStale { return known }
    preparedCount += 1
    let new = PreparedStatement(number: preparedCount)
    prepared[statement.key] = new
    pipeline.sent(Segment(.preparation(new, for: reply)))
    check(parameterScratch.prepare(statement, as: new, on: handle))
    if failure == nil { check(PQpipelineSync(handle)) }
    return new
  }

  /// libpq returns 0 when it is out of memory or has noticed that the connection is gone.
  func check(_ succeeded: Int32) {
    if succeeded == 0 { lost(PostgresError(.connectionLost, PostgresError.message(of: handle))) }
  }

  func flushToSocket() {
    switch PQflush(handle) {
    case 0: watch(.readable)
    case 1: watch([.readable, .writable])
    default: check(0)
    }
  }

  func watch(_ interest: DescriptorWatcher.Interest) {
    if interest == watched { return }
    watched = interest
    watcher.watch(interest) { self.happened($0) }
  }
}
