internal import EventLoop

/// A message that a consumer delivered; to be acknowledged when it is dealt with, or it comes again.
///
/// Acknowledging sends and forgets: a lost acknowledgement means one more delivery. One of an earlier connection is not
/// sent at all, because the broker may have come back with an empty store, where its number is another message's.
// Confined to its connection's event loop: the library reads headers lazily.
package final class IncomingMessage: @unchecked Sendable {
  private let message: NATSMessage
  private let connection: NATSConnection
  private let epoch: Int
  /// The delivery: its sequences, its count, the time of the message.
  package let delivery: AckSubject

  /// Takes a message over; nil when it is no delivery of JetStream's.
  init?(_ message: consuming NATSMessage, connection: NATSConnection) {
    guard let delivery = AckSubject(parsing: message.replyBytes) else { return nil }
    self.message = message
    self.connection = connection
    self.delivery = delivery
    epoch = connection.epoch
  }

  /// What the message was published on.
  package var subject: String { message.subject }
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

  /// The message is dealt with: it does not come again.
  package func ack() { answer("+ACK") }

  /// The message is wanted again, after `delay` or at once.
  package func nak(delay: Duration? = nil) {
    guard let delay else { return answer("-NAK") }
    answer("-NAK \(JSONValue(dictionaryLiteral: ("delay", .integer(max(0, delay.nanoseconds)))))")
  }

  /// The message is not to come again, dealt with or not; `reason` goes into the broker's advisory.
  package func term(_ reason: String) {
    answer("+TERM " + String(reason.map { $0.isNewline ? " " : $0 }))
  }

  /// The message is being worked on: its time to be acknowledged begins anew.
  package func inProgress() { answer("+WPI") }

  private func answer(_ text: StaticString) {
    guard epoch == connection.epoch, let library = try? connection.sendable() else { return }
    _ = message.reply(text, over: library)
  }

  private func answer(_ text: String) {
    guard epoch == connection.epoch, let library = try? connection.sendable() else { return }
    _ = message.reply(text, over: library)
  }
}
