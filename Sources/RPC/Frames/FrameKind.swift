/// What a frame is for; see `Schemas/PROTOCOL.md`, "Frames".
package enum FrameKind: UInt8, Sendable {
  /// The first frame of either side: versions and limits.
  case hello = 1
  /// Starts a call and carries its whole request.
  case request = 2
  /// Ends a call: its status, and the response or the error's details.
  case response = 3
  /// The caller gives a call up.
  case cancel = 4
  /// Asks for a pong; carries a number to give back.
  case ping = 5
  /// Answers a ping.
  case pong = 6
  /// The sender takes no new calls on this connection; carries the reason.
  case goAway = 7
}
