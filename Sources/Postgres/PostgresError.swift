internal import EventLoop

/// What went wrong with a statement, a connection or a migration.
///
/// `description` is safe to show to anybody; what the server said is in `String(reflecting:)` only.
package struct PostgresError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  /// What a caller can decide on.
  package enum Code: Hashable, Sendable {
    /// The connection was lost, or none could be made; the statement had no lasting effect. Safe to repeat.
    case connectionLost
    /// The connection was lost while a commit was under way: it may have happened or not. Resolve it by a key.
    case unknownOutcome
    /// As many requests as the pool allows are waiting already.
    case overloaded
    /// No connection came free in time, or the statement ran into `statement_timeout`, before the caller's deadline.
    case timeout
    /// The caller's deadline passed; the statement had no lasting effect.
    case deadlineExceeded
    /// The caller's task was cancelled; the statement had no lasting effect.
    case cancelled
    /// The pool or the connection was closed on purpose.
    case closed
    /// The server refused a statement.
    case server(SQLState)
    /// A value does not have the type, the length or the content that was asked for.
    case decoding
    /// The server's answer did not fit the question; the connection is closed.
    case protocolViolation
    /// The files of migrations and the database contradict each other.
    case migration
  }

  /// What a caller can decide on.
  package let code: Code
  /// One sentence for operators, from our side or from the server; never for clients.
  package let message: String
  /// The server's own elaboration: its DETAIL and HINT.
  package let detail: String?
  /// The name of the constraint that was violated.
  package let constraint: String?

  init(_ code: Code, _ message: String, detail: String? = nil, constraint: String? = nil) {
    self.code = code
    self.message = message
    self.detail = detail
    self.constraint = constraint
  }

  /// The same, for work that may have had its effect before this came of it: `.unknownOutcome`, unless the caller gave up.
  package var leavingOutcomeUnknown: PostgresError {
    code == .cancelled ? self : PostgresError(.unknownOutcome, message, detail: detail, constraint: constraint)
  }

  static var cancelled: PostgresError { PostgresError(.cancelled, "the caller gave up") }

  static var deadlineExceeded: PostgresError {
    PostgresError(.deadlineExceeded, "the deadline passed before the statement was sent")
  }

  /// The error as a caller with this deadline is to see it: a statement that was stopped for its time is one whose
  /// deadline passed, if it did.
  func seen(deadline: LoopInstant?) -> PostgresError {
    // Not the loop's `now`, which is from before it waited for this answer.
    guard code == .timeout, let deadline, deadline <= .current else { return self }
    return PostgresError(.deadlineExceeded, message, detail: detail)
  }

  /// The server's five-character code, when the server refused the statement.
  package var sqlState: SQLState? {
    if case .server(let state) = code { state } else { nil }
  }

  /// Whether a unique constraint, or the one named, was violated.
  package func isUniqueViolation(of constraint: String? = nil) -> Bool {
    sqlState == .uniqueViolation && (constraint == nil || constraint == self.constraint)
  }

  /// Whether the whole transaction may succeed when it is simply repeated.
  package var isSerializationOrDeadlock: Bool {
    sqlState == .serializationFailure || sqlState == .deadlockDetected
  }

  /// A sentence without a word of the server's.
  package var description: String {
    switch code {
    case .connectionLost: "the database connection was lost"
    case .unknownOutcome: "the database connection was lost during a commit"
    case .overloaded: "too many requests wait for the database"
    case .timeout: "the database took too long"
    case .deadlineExceeded: "the deadline passed before the database answered"
    case .cancelled: "the database work was cancelled"
    case .closed: "the database connection is closed"
    case .server(let state): "the database refused a statement (\(state.rawValue))"
    case .decoding: "the database returned a value of another kind than expected"
    case .protocolViolation: "the database returned an unexpected answer"
    case .migration: "the database schema could not be brought up to date"
    }
  }

  /// Everything that is known; for logs.
  package var debugDescription: String {
    var text = "\(description): \(message)"
    if let detail { text += "; \(detail)" }
    if let constraint { text += "; constraint \(constraint)" }
    return text
  }
}

/// An error code of the server (PostgreSQL, appendix A).
package struct SQLState: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
  /// Five characters: class and condition.
  package let rawValue: String

  package init(rawValue: String) { self.rawValue = rawValue }
  package init(stringLiteral value: String) { self.rawValue = value }

  package static let uniqueViolation: SQLState = "23505"
  package static let foreignKeyViolation: SQLState = "23503"
  package static let checkViolation: SQLState = "23514"
  package static let serializationFailure: SQLState = "40001"
  package static let deadlockDetected: SQLState = "40P01"
  package static let inFailedTransaction: SQLState = "25P02"
  package static let queryCanceled: SQLState = "57014"
  package static let lockNotAvailable: SQLState = "55P03"
  /// Also what a name that was never prepared gets.
  package static let invalidStatementName: SQLState = "26000"
  /// Also what a prepared statement gets whose columns have changed since.
  package static let featureNotSupported: SQLState = "0A000"
}
