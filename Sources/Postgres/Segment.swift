internal import EventLoop

/// Commands that end in one Sync: the unit in which the server commits, fails, and skips what follows a failure.
// Confined to its event loop, with its connection.
final class Segment: ReplyHolder, @unchecked Sendable {
  enum Kind {
    /// Reads of different callers: each is answered at once, and one that fails takes nobody with it.
    case independent
    /// Statements that succeed together, committed by the Sync, or fail together.
    case atomic
    /// Part of a transaction that BEGIN opened.
    case transaction(TransactionState)
    /// Ends a transaction that is not to be committed; nobody can give this up.
    case rollback
    /// Makes the server parse the statement of a reply; alone, so that it neither fails others nor is skipped because
    /// of them.
    case preparation(PreparedStatement, for: Reply)
    /// Changes the session's `statement_timeout` for the segments behind it; alone, so that no failure takes it back.
    case timeout
  }

  let kind: Kind
  var replies: [Reply]
  /// Whether the Sync or a COMMIT makes something last: then losing the connection leaves the outcome unknown.
  var commits: Bool
  /// Where it is queued, or was sent.
  private(set) var connection: PostgresConnection?
  /// Its place among all that its connection has sent; 0 until then.
  var number = 0
  var rows: [Rows] = []
  var answered = 0
  var hasResult = false
  var failure: PostgresError?
  /// Whether a caller has given up since it was sent.
  private var hasAbandoned = false
  /// Whether `failure` is the work of a cancel request that was meant for another segment.
  var isHitByStrayCancel = false

  init(_ kind: Kind, _ replies: [Reply] = []) {
    self.kind = kind
    self.replies = replies
    if case .atomic = kind { commits = true } else { commits = false }
  }

  /// When the last of its callers stops waiting; nil when one never does.
  var deadline: LoopInstant? {
    var latest = LoopInstant(nanoseconds: 0)
    for reply in replies {
      guard let deadline = reply.deadline else { return nil }
      latest = max(latest, deadline)
    }
    return latest
  }

  var isSent: Bool { number > 0 }

  /// Whether a caller has given up whose statement may be the one that runs: the server keeps answers back until the
  /// Sync, so it can be any that is not answered. The others of the segment can all be sent again.
  var isRunningAbandoned: Bool {
    if case .preparation(_, let reply) = kind { return reply.isAbandoned }
    return hasAbandoned && replies.dropFirst(answered).contains { $0.isAbandoned }
  }

  /// Whether it did nothing at all when it failed, and would do all that was asked of it at another time.
  var mayBeSentAgain: Bool {
    switch kind {
    case .atomic, .rollback: true
    case .independent, .transaction, .preparation, .timeout: false
    }
  }

  /// Comes into the hands of a connection.
  func held(by connection: PostgresConnection) {
    self.connection = connection
    for reply in replies { reply.holder = self }
  }

  /// Adds a statement while the segment is queued.
  func append(_ reply: Reply) {
    replies.append(reply)
    reply.holder = self
  }

  /// Forgets that it was ever sent, so that it can be again.
  func reset() {
    number = 0
    rows = []
    answered = 0
    hasResult = false
    failure = nil
    isHitByStrayCancel = false
  }

  /// Gives up a statement that was sent.
  func abandon(_ reply: Reply) {
    hasAbandoned = true
    reply.abandon()
  }

  /// Waits for the results of all statements.
  func results() async throws(PostgresError) -> [Rows] {
    var results: [Rows] = []
    for reply in replies { results.append(try await reply.rows()) }
    return results
  }

  /// Answers each statement with its rows.
  func succeed(_ rows: [Rows]) {
    for (reply, rows) in zip(replies, rows) { reply.answer(.success(rows)) }
  }

  /// Answers whoever was not answered yet with `error`; the segment is over.
  func fail(_ error: PostgresError) {
    for reply in replies where !reply.isAnswered { reply.answer(.failure(error)) }
    released()
  }

  /// Is in nobody's hands any more.
  func released() {
    connection = nil
    if case .transaction(let state) = kind, state.inFlight === self { state.inFlight = nil }
  }

  // MARK: ReplyHolder

  var loop: EventLoop { connection!.loop }

  func giveUp(_ reply: Reply) {
    if !reply.isAnswered { connection?.giveUp(reply, of: self) }
  }
}
