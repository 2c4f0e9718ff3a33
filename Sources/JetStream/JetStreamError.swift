internal import JSON

/// What went wrong between us and JetStream.
package struct JetStreamError: Error, Equatable, Sendable {
  /// What a caller can do about it.
  package enum Code: String, Sendable {
    /// The broker cannot be reached or is not ready. What was being published may have arrived: send it again with the
    /// same message ID.
    case unavailable
    /// No answer came in time. What was being published may have arrived: send it again with the same message ID.
    case timeout
    /// Too much is waiting to be sent already.
    case overloaded
    /// The stream, consumer or message does not exist.
    case notFound
    /// What exists on the broker differs from what is wanted, and cannot be changed into it.
    case configurationMismatch
    /// The broker refused the request as it is; the same again will be refused too.
    case rejected
    /// The request cannot be expressed in the protocol, such as a subject with a space.
    case invalidArgument
    /// The broker's answer could not be understood.
    case protocolViolation
    /// The client or consumer was closed.
    case closed
  }

  /// What kind of failure it is.
  package let code: Code
  /// A sentence for operators, without the broker's own words.
  package let message: String
  /// What the broker or the library said. For logs, not for callers of ours.
  package let detail: String?
  /// JetStream's own error number (`err_code`), where it gave one.
  package let brokerCode: Int?

  init(_ code: Code, _ message: String, detail: String? = nil, brokerCode: Int? = nil) {
    self.code = code
    self.message = message
    self.detail = detail
    self.brokerCode = brokerCode
  }
}

extension JetStreamError: CustomStringConvertible, CustomDebugStringConvertible {
  /// The bland sentence; `String(reflecting:)` has the detail.
  package var description: String { message }

  package var debugDescription: String {
    var text = "\(code.rawValue): \(message)"
    if let detail { text += " (\(detail))" }
    if let brokerCode { text += " [\(brokerCode)]" }
    return text
  }
}

extension JetStreamError {
  /// The error in an answer of the JetStream API: `{"code": HTTP-like, "err_code": …, "description": …}`
  /// (NATS documentation, "JetStream wire API reference", error response).
  init(answer error: JSONValue, to operation: String) {
    let description = error["description"]?.string ?? "no description"
    let code: Code =
      switch error["code"]?.integer {
      case 404: .notFound
      case 408: .timeout
      case 429: .overloaded
      case 503: .unavailable
      default: .rejected
      }
    self.init(
      code, "JetStream did not \(operation)", detail: description,
      brokerCode: error["err_code"]?.integer.map { Int(truncatingIfNeeded: $0) })
  }

  static let disconnected = JetStreamError(.unavailable, "NATS is not connected")
  static let noResponders = JetStreamError(.unavailable, "nothing on the broker takes this subject at the moment")
  static let closed = JetStreamError(.closed, "the JetStream client is closed")
}
