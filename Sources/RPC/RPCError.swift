package import Wire

/// A status other than OK, with its details: what a handler throws and a caller catches.
package struct RPCError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The status.
  package var code: StatusCode
  /// One sentence for a person: what went wrong, what to do.
  package var message: String
  /// A stable word for machines; empty when the status says all.
  package var reason: String
  /// Everything wrong with the request at once.
  package var violations: [Violation]
  /// How long to wait before a retry.
  package var retryAfter: Duration?

  /// An error of `code`.
  package init(
    _ code: StatusCode, _ message: String, reason: String = "", violations: [Violation] = [],
    retryAfter: Duration? = nil
  ) {
    self.code = code
    self.message = message
    self.reason = reason
    self.violations = violations
    self.retryAfter = retryAfter
  }

  /// Such as `NOT_FOUND: no order has this id`.
  package var description: String { "\(code.name): \(message)" }

  /// The caller waits no longer.
  static let givenUp = RPCError(.cancelled, "the caller gave the call up")

  /// The request has fields that break the marks of its schema.
  package static func invalid(_ violations: [FieldViolation]) -> RPCError {
    let details = violations.map { Violation(pointer: $0.pointer, detail: $0.detail) }
    let first = violations.first.map { $0.pointer.isEmpty ? $0.detail : "\($0.pointer): \($0.detail)" }
    return RPCError(.invalidArgument, first ?? "the request is wrong", violations: details)
  }

  /// The details as they travel.
  var details: ErrorDetails {
    ErrorDetails(
      message: message, reason: reason, violations: violations,
      retryAfterMilliseconds: retryAfter.map { UInt32(clamping: $0.milliseconds) })
  }

  /// The error that a response frame of status `code` carries.
  init(code: StatusCode, details: ErrorDetails) {
    self.init(
      code, details.message, reason: details.reason, violations: details.violations,
      retryAfter: details.retryAfterMilliseconds.map { .milliseconds($0) })
  }
}

extension Duration {
  /// The whole milliseconds of the duration, rounded up, never negative.
  var milliseconds: UInt64 {
    let (seconds, attoseconds) = components
    if seconds < 0 || attoseconds < 0 { return 0 }
    let (scaled, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000)
    return overflow ? .max : scaled &+ UInt64((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
