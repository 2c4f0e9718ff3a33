internal import EventLoop

/// What a connection has sent and not yet had answered. Knows the order of answers, and does no I/O.
///
/// States of the first segment: awaiting the result of command n, awaiting its end, ..., awaiting the Sync.
struct Pipeline {
  /// What libpq reports next.
  enum Event {
    case rows(Rows)
    case failed(PostgresError)
    /// The command was skipped because an earlier one of its segment failed.
    case skipped
    /// No more results of this command.
    case end
    case sync
  }

  /// What the connection has to do.
  enum Action {
    case nothing
    case answer(Reply, Result<Rows, PostgresError>)
    /// The reply was skipped because of a neighbour, or stopped by mistake: send it again.
    case sendAgain(Reply)
    /// The segment, which did nothing, was stopped by mistake: send it again.
    case sendSegmentAgain(Segment)
    /// The segment is over; its replies are to be answered if they were not.
    case finish(Segment, Result<[Rows], PostgresError>)
    /// The server or libpq is out of step: the connection cannot be used any more.
    case abandon
  }

  /// How often a statement is sent again that cancel requests meant for others have hit.
  private static let strayCancelsMax = 3

  private var segments = FIFO<Segment>()
  private var sentCount = 0
  /// The last segment that a cancel request may hit; 0 when none is about.
  private var cancelReach = 0
  /// Replies not yet answered.
  private(set) var replyCount = 0
  /// Grows whenever the server turns to the next command.
  private(set) var progress = 0

  var isEmpty: Bool { segments.isEmpty }

  /// Whether a caller has given up whose statement may be the one that runs.
  var isRunningAbandoned: Bool { segments.first?.isRunningAbandoned == true }

  mutating func sent(_ segment: Segment) {
    sentCount += 1
    segment.number = sentCount
    segments.append(segment)
    replyCount += segment.replies.count
  }

  /// A cancel request is on its way: it stops what runs when it arrives, any one statement of what is sent by now.
  mutating func cancelRequested() { cancelReach = sentCount }

  /// Takes the oldest segment, in whatever state, because the connection is lost.
  mutating func abandonFirst() -> Segment? {
    replyCount = 0
    return segments.popFirst()
  }

  mutating func received(_ event: Event) -> Action {
    guard let segment = segments.first else { return .abandon }
    switch event {
    case .rows(let rows): return rowsReceived(rows, segment)
    case .failed(let error): return failureReceived(error, segment)
    case .skipped: return skipReceived(segment)
    case .end:
      guard segment.hasResult else { return .abandon }
      segment.hasResult = false
      segment.answered += 1
      progress += 1
      return .nothing
    case .sync: return syncReceived(segment)
    }
  }

  private func rowsReceived(_ rows: Rows, _ segment: Segment) -> Action {
    guard !segment.hasResult else { return .abandon }
    segment.hasResult = true
    if case .preparation = segment.kind { return .nothing }
    guard segment.answered < segment.replies.count else { return .abandon }
    if case .independent = segment.kind { return .answer(segment.replies[segment.answered], .success(rows)) }
    segment.rows.append(rows)
    return .nothing
  }

  /// A failure that comes after all results is that of the commit itself (a deferred constraint, for instance).
  private mutating func failureReceived(_ error: PostgresError, _ segment: Segment) -> Action {
    guard !segment.hasResult else { return .abandon }
    segment.hasResult = true
    let isCancelled = takesCancel(error, segment)
    if case .preparation(let prepared, _) = segment.kind {
      prepared.failure = error
      prepared.wasCancelled = isCancelled
      prepared.isStale = true
      return .nothing
    }
    guard segment.answered < segment.replies.count else {
      segment.failure = segment.failure ?? error
      segment.isHitByStrayCancel = isCancelled
      return .nothing
    }
    let reply = segment.replies[segment.answered]
    let cause = reason(error, reply.prepared)
    segment.failure = cause
    let isStray = isCancelled || error.sqlState == .invalidStatementName && reply.prepared?.wasCancelled == true
    guard case .independent = segment.kind else {
      segment.isHitByStrayCancel = isStray
      return .nothing
    }
    guard isStray, !reply.isAbandoned, countStrayCancel(reply) else { return .answer(reply, .failure(cause)) }
    return .sendAgain(reply)
  }

  /// Whether `error` is what a cancel request of ours did. One request stops one statement at most.
  private mutating func takesCancel(_ error: PostgresError, _ segment: Segment) -> Bool {
    guard error.code == .timeout, segment.number <= cancelReach else { return false }
    cancelReach = 0
    return true
  }

  /// Whether `reply` may go again after a cancel request that was not meant for it.
  private func countStrayCancel(_ reply: Reply) -> Bool {
    reply.strayCancels += 1
    return reply.strayCancels <= Self.strayCancelsMax
  }

  private func skipReceived(_ segment: Segment) -> Action {
    guard !segment.hasResult, segment.answered < segment.replies.count, let failure = segment.failure else {
      return .abandon
    }
    segment.hasResult = true
    guard case .independent = segment.kind else { return .nothing }
    let reply = segment.replies[segment.answered]
    if reply.isAbandoned { return .nothing }
    return reply.travelsAlone ? .answer(reply, .failure(failure)) : .sendAgain(reply)
  }

  private mutating func syncReceived(_ segment: Segment) -> Action {
    guard !segment.hasResult, segment.answered >= segment.replies.count else { return .abandon }
    _ = segments.popFirst()
    replyCount -= segment.replies.count
    progress += 1
    guard let failure = segment.failure else { return .finish(segment, .success(segment.rows)) }
    if segment.isHitByStrayCancel, segment.mayBeSentAgain, countStrayCancel(segment.replies[0]) {
      return .sendSegmentAgain(segment)
    }
    return .finish(segment, .failure(failure))
  }

  /// Notes that the server lost a prepared statement, and finds the reason why it never had it.
  private func reason(_ error: PostgresError, _ prepared: PreparedStatement?) -> PostgresError {
    switch error.sqlState {
    case .invalidStatementName:
      prepared?.isStale = true
      return prepared?.failure ?? error
    case .featureNotSupported:
      prepared?.isStale = true
      return error
    default: return error
    }
  }
}
