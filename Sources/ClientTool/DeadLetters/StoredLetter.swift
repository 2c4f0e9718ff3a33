internal import JetStream
internal import Messaging

/// A message in the stream DEAD.
struct StoredLetter: Sendable {
  /// As the stream has it.
  let message: StoredMessage

  /// Where it was published.
  var subject: String {
    let subject = message.subject
    let prefix = DeadLetter.subjectPrefix
    return subject.hasPrefix(prefix) ? String(subject.dropFirst(prefix.count)) : subject
  }
  /// Why it could not be processed.
  var reason: String { message.headers[DeadLetter.reasonHeader] ?? "" }
  /// The stream that it was in, and its sequence there.
  var origin: String {
    [DeadLetter.streamHeader, DeadLetter.sequenceHeader].compactMap { message.headers[$0] }.joined(separator: " ")
  }
  /// The order that it says it is about.
  var order: String { message.headers["Gozon-Order"] ?? "" }

  /// The message as it is to be published again. Its ID follows from the letter's, so that the broker drops one that is
  /// replayed twice in a moment, and does not take it for the message that it is a repeat of.
  ///
  /// - Throws: ``Unreplayable``.
  func replay() throws(Unreplayable) -> OutgoingMessage {
    if let size = message.headers[DeadLetter.sizeHeader] {
      throw Unreplayable(reason: "only \(message.payload.count) of its \(size) bytes were kept")
    }
    guard message.subject.hasPrefix(DeadLetter.subjectPrefix) else {
      throw Unreplayable(reason: "its subject \(message.subject) does not say where it was published")
    }
    var headers: MessageHeaders = [:]
    for (name, value) in message.headers.entries
    where !name.hasPrefix("Nats-") && !DeadLetter.headers.contains(name) { headers.append(name, value) }
    let id = message.headers[MessageHeaders.messageID] ?? "\(EventStreams.dead.name).\(message.sequence)"
    return OutgoingMessage(subject: subject, messageID: "\(id).replayed", headers: headers, payload: message.payload)
  }

  /// Why a letter cannot be published again.
  struct Unreplayable: Error { let reason: String }
}
