/// Why a side takes no new calls on a connection; see `Schemas/PROTOCOL.md`, "The end of a connection".
package enum GoAwayReason: UInt16, Sendable {
  /// The server shuts down or restarts: calls under way are finished, new ones belong elsewhere.
  case shutdown = 1
  /// The peer broke the protocol; the payload says how.
  case protocolViolation = 2
  /// No common version.
  case versionMismatch = 3
  /// The service token is missing or wrong.
  case unauthenticated = 4
  /// There was no call for a long time.
  case idle = 5
  /// The peer pings more often than it was told to.
  case tooManyPings = 6
  /// The server has as many connections as it may.
  case tooManyConnections = 7
  /// The peer does not read what it asked for.
  case slowReader = 8
  /// The port speaks TLS, and the peer does not.
  case notEncrypted = 9

  /// The status of what a client wanted to do on the connection.
  var status: StatusCode {
    switch self {
    case .shutdown, .idle, .tooManyConnections, .notEncrypted: .unavailable
    case .protocolViolation, .versionMismatch: .failedPrecondition
    case .unauthenticated: .unauthenticated
    case .tooManyPings, .slowReader: .resourceExhausted
    }
  }
}
