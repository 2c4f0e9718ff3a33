internal import JSON

internal import EventLoop

/// A message that a consumer delivered.
// Confined to its connection's event loop: the library reads headers lazily.
package final class IncomingMessage: @unchecked Sendable {
  private let message: NATSMessage
  /// The delivery: its sequences, the time of the message.
  package let delivery: AckSubject

  /// Takes a message over; nil when it is no delivery of JetStream's.
  init?(_ message: consuming NATSMessage) {
    guard let delivery = AckSubject(parsing: message.replyBytes) else { return nil }
    self.message = message
    self.delivery = delivery
  }

  /// The message's place in its stream.
  package var sequence: UInt64 { delivery.streamSequence }
  /// What the message was published on.
  package var subject: String { message.subject }
  /// Lets `body` read ``subject`` in place.
  package func withSubject<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    try message.withSubject(body)
  }
  /// A copy of the content.
  package var payload: [UInt8] { message.withPayload { Array($0, from: 0, to: $0.count) } }
  /// Lets `body` read the content in place.
  package func withPayload<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    try message.withPayload(body)
  }
  /// The ID it was published with.
  package var messageID: String? { header(MessageHeaders.messageID) }
  /// All headers; of a repeated one, the first.
  package var headers: MessageHeaders { message.headers }
  /// The first header of that name; names are case-sensitive.
  package func header(_ name: String) -> String? { message.header(name) }
}
