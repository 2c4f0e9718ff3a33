/// What a statement that was sent, or waits to be, will return.
// Confined to its event loop: continuations are made and resumed there.
package final class Reply: @unchecked Sendable {
  let statement: Statement
  /// The server's side of the statement, on the connection it was last sent on.
  var prepared: PreparedStatement?
  /// Whether a neighbour's failure took this down once: then it goes again behind a Sync of its own.
  var travelsAlone = false
  private var result: Result<Rows, PostgresError>?
  private var waiter: UnsafeContinuation<Void, Never>?

  init(_ statement: Statement) { self.statement = statement }

  /// Waits for the result. One task at a time may wait; one that comes later finds the result there.
  ///
  /// Cancelling the task does not stop the statement, nor this wait: `statement_timeout` bounds both.
  package func rows() async throws(PostgresError) -> Rows {
    if result == nil {
      await withUnsafeContinuation { continuation in
        precondition(waiter == nil, "two tasks wait for one reply")
        waiter = continuation
      }
    }
    return try result!.get()
  }

  var isAnswered: Bool { result != nil }

  /// Ends the wait, once.
  func answer(_ result: Result<Rows, PostgresError>) {
    precondition(self.result == nil, "a statement answered twice")
    self.result = result
    waiter?.resume()
    waiter = nil
  }
}

/// A statement that one connection has prepared, or asked to be.
// Confined to its event loop, with its connection.
final class PreparedStatement: @unchecked Sendable {
  /// The name that the server knows it by, ending in NUL.
  let name: [CChar]
  /// Why it was not prepared after all; its users learn this instead of "no such statement".
  var failure: PostgresError?
  /// Whether the server can no longer run it, and the next use prepares another.
  var isStale = false

  init(number: Int) { name = "s\(number)".utf8CString.map { $0 } }
}
