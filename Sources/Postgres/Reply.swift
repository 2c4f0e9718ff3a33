internal import EventLoop

/// What a statement that was sent, or waits to be, will return.
// Confined to its event loop: continuations are made and resumed there.
package final class Reply: @unchecked Sendable {
  let statement: Statement
  /// When its caller stops waiting; nil when it does not.
  let deadline: LoopInstant?
  /// The server's side of the statement, on the connection it was last sent on.
  var prepared: PreparedStatement?
  /// Whether a neighbour's failure took this down once: then it goes again behind a Sync of its own.
  var travelsAlone = false
  /// How often a cancel request that was meant for another statement hit this one.
  var strayCancels = 0
  /// Whose hands it is in; nil before, and once it is answered.
  var holder: (any ReplyHolder)?
  /// Whether its caller has given up after it was sent: what the server answers is of no use to anybody.
  private(set) var isAbandoned = false
  private var result: Result<Rows, PostgresError>?
  private var waiter: UnsafeContinuation<Void, Never>?

  init(_ statement: Statement, deadline: LoopInstant? = nil) {
    self.statement = statement
    self.deadline = deadline
  }

  /// Waits for the result. One task at a time may wait; one that comes later finds the result there.
  ///
  /// When the task is cancelled, a statement that was not sent never is, a read or a part of a transaction that was
  /// sent is given up at once and stopped at the server, and a commit on its way is waited for, because its outcome
  /// would be unknown otherwise.
  ///
  /// - Throws: `.cancelled` when the task was, in the first two cases.
  package func rows() async throws(PostgresError) -> Rows {
    if let loop = holder?.loop {
      await withTaskCancellationHandler {
        await untilAnswered()
      } onCancel: {
        loop.execute { self.holder?.giveUp(self) }
      }
    }
    return try result!.get()
  }

  /// Waits for the result even when the task is cancelled.
  func rowsWhateverHappens() async throws(PostgresError) -> Rows {
    if result == nil { await untilAnswered() }
    return try result!.get()
  }

  private func untilAnswered() async {
    await withUnsafeContinuation { continuation in
      precondition(waiter == nil, "two tasks wait for one reply")
      waiter = continuation
    }
  }

  var isAnswered: Bool { result != nil }

  /// Ends the wait, once; an abandoned statement's answer is dropped.
  func answer(_ result: Result<Rows, PostgresError>) {
    if isAbandoned { return }
    precondition(self.result == nil, "a statement answered twice")
    self.result = result
    holder = nil
    waiter?.resume()
    waiter = nil
  }

  /// Ends the wait for a statement that the server may still run.
  func abandon() {
    if isAnswered { return }
    answer(.failure(.cancelled))
    isAbandoned = true
  }
}

/// Has a statement in its hands, and knows what it means to give it up.
protocol ReplyHolder: AnyObject {
  var loop: EventLoop { get }
  /// The task that waits for `reply` was cancelled. Only on the loop.
  func giveUp(_ reply: Reply)
}
