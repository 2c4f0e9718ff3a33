internal import JetStream
internal import RPC

/// What the tool tells the shell. Scripts rely on the numbers.
struct ExitStatus: RawRepresentable, Equatable, Sendable {
  let rawValue: Int32

  /// All is well.
  static let ok = ExitStatus(rawValue: 0)
  /// What was asked about is not well.
  static let notWell = ExitStatus(rawValue: 1)
  /// The command line is wrong.
  static let usage = ExitStatus(rawValue: 2)

  /// The status of a call: 64 + its code, 0 for OK.
  init(_ code: StatusCode) { rawValue = code == .ok ? 0 : 64 + Int32(code.rawValue) }

  init(rawValue: Int32) { self.rawValue = rawValue }
}

extension RPCError {
  /// What went wrong, as a status, whatever was thrown.
  init(thrown error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as JetStreamError: self.init(error)
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

  /// The lines that tell a person everything about it.
  var report: String {
    var lines = [description]
    for violation in violations where violations.count > 1 || !message.contains(violation.detail) {
      lines.append("  \(violation.pointer.isEmpty ? "the request" : violation.pointer): \(violation.detail)")
    }
    if !reason.isEmpty { lines.append("  reason: \(reason)") }
    if let retryAfter { lines.append("  try again in \(retryAfter)") }
    return lines.joined(separator: "\n")
  }
}
