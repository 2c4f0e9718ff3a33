import Testing

/// One case of conformance: what a client sends behind its greeting, and what the server must do.
struct HTTP2Case: Sendable, CustomTestStringConvertible {
  /// What the server must do.
  enum Outcome: Sendable {
    /// End the connection with this code.
    case goAway(UInt32)
    /// End the connection, with whatever code or none.
    case end
    /// Reset a stream with this code, and go on.
    case reset(UInt32, UInt32)
    /// End a stream, or the connection, with an error: the RFC leaves it open.
    case error(UInt32)
    /// Answer a request with this status, and go on.
    case status(UInt32, Int)
    /// Nothing, and go on.
    case goesOn
  }

  let testDescription: String
  let bytes: [UInt8]
  let outcome: Outcome

  init(_ name: String, _ bytes: [UInt8], _ outcome: Outcome) {
    testDescription = name
    self.bytes = bytes
    self.outcome = outcome
  }

  /// All cases.
  static let all = generic + framing + settings + streams + requests + hpack
}
