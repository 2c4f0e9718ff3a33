/// Why a side takes no new calls on a connection.
package enum GoAwayReason: UInt16, Sendable {
  /// The server shuts down or restarts: calls under way are finished, new ones belong elsewhere.
  case shutdown = 1
  /// The peer broke the protocol; the payload says how.
  case protocolViolation = 2
  /// No common version.
  case versionMismatch = 3
}
