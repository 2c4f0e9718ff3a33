internal import JSON
internal import Wire

/// A message as its stream holds it.
package struct StoredMessage: Sendable {
  /// What it was published on.
  package var subject: String
  /// Its place in the stream.
  package var sequence: UInt64
  /// When the stream took it: RFC 3339 text, as the broker writes it.
  package var time: String
  package var headers: MessageHeaders
  package var payload: [UInt8]

  /// A message that was delivered.
  package init(_ message: IncomingMessage) throws(JetStreamError) {
    subject = message.subject
    sequence = message.sequence
    time = "\(Timestamp(microseconds: message.delivery.nanosecondsSince1970 / 1_000))"
    headers = message.headers
    payload = message.payload
  }

  /// Reads the `message` of an answer to `STREAM.MSG.GET`.
  init(_ answer: JSONValue) throws(JetStreamError) {
    guard let message = answer["message"], let subject = message["subject"]?.string,
      let sequence = message["seq"]?.integer, sequence >= 0, let time = message["time"]?.string,
      let headerBlock = Base64.standard.decode(message["hdrs"]?.string ?? ""),
      let payload = Base64.standard.decode(message["data"]?.string ?? "")
    else { throw JetStreamError(.protocolViolation, "a stored message could not be read") }
    self.subject = subject
    self.sequence = UInt64(sequence)
    self.time = time
    headers = headerBlock.isEmpty ? [:] : try MessageHeaders(parsing: headerBlock.span)
    self.payload = payload
  }
}
