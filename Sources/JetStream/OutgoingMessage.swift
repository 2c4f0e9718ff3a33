internal import JSON

/// A message on its way to a stream.
package struct OutgoingMessage: Sendable {
  /// Where to; a stream must take it.
  package var subject: String
  /// Makes the message unique within the stream's duplicate window (`Nats-Msg-Id`).
  package var messageID: String?
  /// The other headers.
  package var headers: MessageHeaders
  /// The content.
  package var payload: [UInt8]

  /// A message.
  package init(subject: String, messageID: String?, headers: MessageHeaders = [:], payload: [UInt8]) {
    self.subject = subject
    self.messageID = messageID
    self.headers = headers
    self.payload = payload
  }

  /// Throws when the subject or a header would break the protocol's framing.
  func validate() throws(JetStreamError) {
    // The server's control line ends at 4,096 bytes; a subject gets half of it.
    let fits = !subject.isEmpty && subject.utf8.count <= 2048
    guard fits, subject.utf8.allSatisfy(Self.isPublishable) else {
      throw JetStreamError(.invalidArgument, "not a subject to publish on", detail: subject)
    }
    if let messageID, !messageID.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) {
      throw JetStreamError(.invalidArgument, "a message ID is not one line")
    }
    try headers.validate()
  }

  private static func isPublishable(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: "*") && byte != UInt8(ascii: ">")
  }
}

/// A stream's word that it has stored a message.
package struct PublishAck: Equatable, Sendable {
  /// The stream's name.
  package var stream: String
  /// The message's place in it.
  package var sequence: UInt64
  /// Whether the stream had a message of this ID already: nothing was stored, `sequence` is the earlier one's.
  package var isDuplicate: Bool
}

extension PublishAck {
  /// Reads the answer to a publish.
  init(parsing payload: Span<UInt8>) throws(JetStreamError) {
    let answer = try JSONValue(answer: payload, to: "store a message")
    guard let stream = answer["stream"]?.string, let sequence = answer["seq"]?.integer, sequence >= 0 else {
      throw JetStreamError(.protocolViolation, "an acknowledgement lacks its stream or sequence")
    }
    self.stream = stream
    self.sequence = UInt64(sequence)
    isDuplicate = answer["duplicate"]?.bool ?? false
  }
}
