internal import EventLoop

/// Commands that end in one Sync: the unit in which the server commits, fails, and skips what follows a failure.
// Confined to its event loop, with its connection.
final class Segment: @unchecked Sendable {
  enum Kind {
    /// Reads of different callers: each is answered at once, and one that fails takes nobody with it.
    case independent
    /// Statements that succeed together, committed by the Sync, or fail together.
    case atomic
    /// Part of a transaction that BEGIN opened.
    case transaction(TransactionState)
    /// Makes the server parse a statement; alone, so that it neither fails others nor is skipped because of them.
    case preparation(PreparedStatement)
  }

  let kind: Kind
  var replies: [Reply]
  /// Whether the Sync or a COMMIT makes something last: then losing the connection leaves the outcome unknown.
  var commits: Bool
  fileprivate var rows: [Rows] = []
  fileprivate var answered = 0
  fileprivate var hasResult = false
  fileprivate(set) var failure: PostgresError?

  init(_ kind: Kind, _ replies: [Reply] = []) {
    self.kind = kind
    self.replies = replies
    if case .atomic = kind { commits = true } else { commits = false }
  }

  /// Waits for the results of all statements.
  func results() async throws(PostgresError) -> [Rows] {
    var results: [Rows] = []
    for reply in replies { results.append(try await reply.rows()) }
    return results
  }

  /// Answers whoever was not answered yet with `error`.
  func fail(_ error: PostgresError) {
    for reply in replies where !reply.isAnswered { reply.answer(.failure(error)) }
  }
}

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
    /// The reply was skipped because of a neighbour: send it again.
    case sendAgain(Reply)
    /// The segment is over; its replies are to be answered if they were not.
    case finish(Segment, Result<[Rows], PostgresError>)
    /// The server or libpq is out of step: the connection cannot be used any more.
    case abandon
  }

  private var segments = FIFO<Segment>()
  /// Replies not yet answered.
  private(set) var replyCount = 0

  var isEmpty: Bool { segments.isEmpty }

  mutating func sent(_ segment: Segment) {
    segments.append(segment)
    replyCount += segment.replies.count
  }

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
  private func failureReceived(_ error: PostgresError, _ segment: Segment) -> Action {
    guard !segment.hasResult else { return .abandon }
    segment.hasResult = true
    if case .preparation(let prepared) = segment.kind {
      prepared.failure = error
      prepared.isStale = true
      return .nothing
    }
    guard segment.answered < segment.replies.count else {
      segment.failure = segment.failure ?? error
      return .nothing
    }
    let reply = segment.replies[segment.answered]
    let cause = reason(error, reply.prepared)
    segment.failure = cause
    if case .independent = segment.kind { return .answer(reply, .failure(cause)) }
    return .nothing
  }

  private func skipReceived(_ segment: Segment) -> Action {
    guard !segment.hasResult, segment.answered < segment.replies.count, let failure = segment.failure else {
      return .abandon
    }
    segment.hasResult = true
    guard case .independent = segment.kind else { return .nothing }
    let reply = segment.replies[segment.answered]
    return reply.travelsAlone ? .answer(reply, .failure(failure)) : .sendAgain(reply)
  }

  private mutating func syncReceived(_ segment: Segment) -> Action {
    guard !segment.hasResult, segment.answered >= segment.replies.count else { return .abandon }
    _ = segments.popFirst()
    replyCount -= segment.replies.count
    return .finish(segment, segment.failure.map { .failure($0) } ?? .success(segment.rows))
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
