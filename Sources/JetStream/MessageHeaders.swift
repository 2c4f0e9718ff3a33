internal import JSON

/// The headers of a message: names and values in order. Names are case-sensitive, as in NATS.
package struct MessageHeaders: Sendable, ExpressibleByDictionaryLiteral {
  /// The name of the header that makes a publish unique within a stream's duplicate window.
  package static let messageID = "Nats-Msg-Id"
  /// Bytes of a header block that are parsed; NATS counts headers within its maximum payload.
  package static let blockBytesMax = 1 << 20

  /// The names and values, in order.
  package private(set) var entries: [(name: String, value: String)]

  /// The headers of a literal such as `["traceparent": trace]`.
  package init(dictionaryLiteral elements: (String, String)...) {
    entries = elements.map { (name: $0.0, value: $0.1) }
  }

  /// The first value under `name`.
  package subscript(name: String) -> String? {
    entries.first { $0.name == name }?.value
  }

  /// Puts a header behind the others.
  package mutating func append(_ name: String, _ value: String) {
    entries.append((name: name, value: value))
  }

  /// Reads a header block as a server stores it (ADR-4 of the NATS architecture): a version line, then a `Name: value`
  /// line for each header, then an empty line, all ended by CR LF.
  package init(parsing block: Span<UInt8>) throws(JetStreamError) {
    guard block.count <= Self.blockBytesMax else { throw Self.malformed("too long") }
    entries = []
    var start = 0
    var isFirst = true
    while let end = Self.lineEnd(block, from: start) {
      let line = String(decoding: Array(block, from: start, to: end), as: UTF8.self)
      start = end + 2
      if isFirst {
        guard line.hasPrefix("NATS/1.0") else { throw Self.malformed("no version line") }
        isFirst = false
      } else if line.isEmpty {
        guard start == block.count else { throw Self.malformed("bytes behind the end") }
        return
      } else {
        guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else { throw Self.malformed("no name") }
        let value = line[line.index(after: colon)...]
        entries.append((name: String(line[..<colon]), value: Self.trimmed(value)))
      }
    }
    throw Self.malformed("no end")
  }

  /// Throws when a header would break the framing of a message.
  func validate() throws(JetStreamError) {
    for (name, value) in entries {
      guard Self.isToken(name) else {
        throw JetStreamError(.invalidArgument, "a header's name is not a token", detail: name)
      }
      guard Self.isLine(value) else {
        throw JetStreamError(.invalidArgument, "a header's value is not one line", detail: name)
      }
    }
  }

  /// Whether a header may be sent: what others have published need not.
  package static func isSendable(_ name: String, _ value: String) -> Bool { isToken(name) && isLine(value) }

  private static func isToken(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
  }

  private static func isLine(_ value: String) -> Bool {
    value.utf8.allSatisfy { $0 != 0x0D && $0 != 0x0A && $0 != 0 }
  }

  private static func lineEnd(_ block: Span<UInt8>, from start: Int) -> Int? {
    var index = start
    while index + 1 < block.count {
      if block[index] == 0x0D, block[index + 1] == 0x0A { return index }
      index += 1
    }
    return nil
  }

  private static func trimmed(_ value: Substring) -> String {
    var value = value
    while value.first == " " { value.removeFirst() }
    while value.last == " " { value.removeLast() }
    return String(value)
  }

  private static func malformed(_ reason: String) -> JetStreamError {
    JetStreamError(.protocolViolation, "a stored message has malformed headers", detail: reason)
  }
}
