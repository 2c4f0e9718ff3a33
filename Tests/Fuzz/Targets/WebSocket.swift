@testable import HTTP

/// One WebSocket: whole, in pieces and byte by byte the messages and the end are the same.
///
/// The first byte makes the sizes of the pieces.
@Sendable func fuzzWebSocket(_ input: [UInt8]) {
  guard let seed = input.first else { return }
  let bytes = Array(input.dropFirst())
  let whole = events([bytes])
  precondition(events(bytes.pieces(seed: seed)) == whole, "pieces read otherwise than the whole")
  precondition(events(bytes.map { [$0] }) == whole, "bytes read otherwise than the whole")
}

private let messageBytesMax = 300

private func events(_ pieces: [[UInt8]]) -> [WebSocketSession.Event] {
  let session = WebSocketSession(messageBytesMax: messageBytesMax)
  var events: [WebSocketSession.Event] = []
  for piece in pieces {
    session.receive(piece.span.bytes)
    for event in session.takeEvents() {
      if case .message(let message) = event {
        precondition(message.count <= messageBytesMax, "a message is too long")
        session.send(message)
      }
      events.append(event)
    }
    precondition(session.output.count <= 2 * 16_384, "short inputs make a long answer")
  }
  session.close(code: 1_000, reason: "")
  precondition(!session.isOpen && session.hasSentClose, "a WebSocket that was closed is open")
  return events
}
