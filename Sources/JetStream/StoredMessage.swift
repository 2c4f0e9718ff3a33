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

  /// Reads the `message` of an answer to `STREAM.MSG.GET`.
  init(_ answer: JSONValue) throws(JetStreamError) {
    guard let message = answer["message"], let subject = message["subject"]?.string,
      let sequence = message["seq"]?.integer, sequence >= 0, let time = message["time"]?.string,
      let headerBlock = [UInt8](base64: message["hdrs"]?.string ?? ""),
      let payload = [UInt8](base64: message["data"]?.string ?? "")
    else { throw JetStreamError(.protocolViolation, "a stored message could not be read") }
    self.subject = subject
    self.sequence = UInt64(sequence)
    self.time = time
    headers = headerBlock.isEmpty ? [:] : try MessageHeaders(parsing: headerBlock.span)
    self.payload = payload
  }
}

extension [UInt8] {
  /// The bytes that `text` is the base64 of (RFC 4648 section 4, with padding); nil when it is not.
  init?(base64 text: String) {
    let count = text.utf8.count
    guard count % 4 == 0 else { return nil }
    self.init()
    reserveCapacity(count / 4 * 3)
    var group: UInt32 = 0
    var digits = 0
    var padding = 0
    for letter in text.utf8 {
      if letter == UInt8(ascii: "=") {
        padding += 1
        group <<= 6
      } else {
        guard padding == 0, let digit = Self.base64Digit(letter) else { return nil }
        group = group << 6 | digit
      }
      digits += 1
      if digits == 4 {
        append(UInt8(truncatingIfNeeded: group >> 16))
        append(UInt8(truncatingIfNeeded: group >> 8))
        append(UInt8(truncatingIfNeeded: group))
        (group, digits) = (0, 0)
      }
    }
    guard padding <= 2 else { return nil }
    removeLast(padding)
  }

  private static func base64Digit(_ letter: UInt8) -> UInt32? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
