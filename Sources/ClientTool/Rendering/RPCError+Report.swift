internal import JetStream
internal import Postgres
internal import RPC

extension RPCError {
  /// What went wrong, as a status, whatever was thrown.
  init(thrown error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as JetStreamError: self.init(error)
    case let error as PostgresError: self.init(error)
    case is CancellationError: self.init(.cancelled, "interrupted")
    default: self.init(.unknown, "\(error)")
    }
  }

  private init(_ error: JetStreamError) {
    let code: StatusCode =
      switch error.code {
      case .unavailable, .closed: .unavailable
      case .timeout: .deadlineExceeded
      case .overloaded: .resourceExhausted
      case .notFound: .notFound
      case .configurationMismatch: .failedPrecondition
      case .rejected: .failedPrecondition
      case .invalidArgument: .invalidArgument
      case .protocolViolation: .internal
      }
    self.init(code, error.detail.map { "\(error.message): \($0)" } ?? error.message)
  }

  /// What a database said is for whoever runs this tool, who has its address.
  private init(_ error: PostgresError) {
    let code: StatusCode =
      switch error.code {
      case .connectionLost, .unknownOutcome, .overloaded, .closed: .unavailable
      case .timeout, .deadlineExceeded: .deadlineExceeded
      case .cancelled: .cancelled
      case .server, .migration: .failedPrecondition
      case .decoding, .protocolViolation: .internal
      }
    self.init(code, String(reflecting: error), reason: "DATABASE")
  }

  /// The lines that tell a person everything about it.
  var report: String {
    var lines = [description]
    for violation in violations where violations.count > 1 || !message.contains(violation.detail) {
      lines.append("  \(violation.pointer.isEmpty ? "the request" : violation.pointer): \(violation.detail)")
    }
    if !reason.isEmpty { lines.append("  reason: \(reason)") }
    if let retryAfter { lines.append("  try again in \(retryAfter)") }
    if let advice { lines.append("  \(advice)") }
    return lines.joined(separator: "\n")
  }

  /// What would help, where the message alone does not say it.
  private var advice: String? {
    switch (code, reason) {
    case (.deadlineExceeded, "DATABASE"): "allow more time with --timeout"
    case (.deadlineExceeded, _): "allow more time with --timeout; whether the call had an effect is not known"
    case (.unavailable, "CONNECTION_LOST"):
      "whether the call had an effect is not known; gozon health tells who is there"
    case (.unavailable, "DRAINING"): "the server restarts: try again, or add --wait-for-ready"
    case (.resourceExhausted, "TOO_MANY_STREAMS"): "lower --concurrency, or add --connections"
    case (.unauthenticated, _): "the server asks callers who they are: see --rpc-tls-certificate"
    default: nil
    }
  }
}
