/// What a frame is for; see `Schemas/PROTOCOL.md`, "Frames".
package enum FrameKind: UInt8, Sendable, CaseIterable {
  /// The first frame of either side: versions and limits.
  case hello = 1
  /// Starts a call, and carries its request unless that is a stream.
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
  /// One message of a call's stream.
  case message = 8
  /// The caller sends no more messages on a call.
  case end = 9
  /// Lets the peer send so many more bytes of messages.
  case credit = 10

  /// The flags that a frame of this kind may have.
  var flags: FrameHeader.Flags {
    switch self {
    case .request: [.metadata, .requestsStream, .responsesStream]
    case .response: .metadata
    case .hello, .cancel, .ping, .pong, .goAway, .message, .end, .credit: []
    }
  }

  /// Whether a frame of this kind may have a payload.
  var hasPayload: Bool {
    switch self {
    case .hello, .request, .response, .goAway, .message: true
    case .cancel, .ping, .pong, .end, .credit: false
    }
  }
}
