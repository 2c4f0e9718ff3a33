/// Cuts a stream of bytes into lines; empty lines are left out.
struct LineSplitter: Sendable {
  /// The longest line, in bytes.
  static let lineBytesMax = 8 << 20

  /// A line is longer than ``lineBytesMax``.
  struct LineTooLong: Error {}

  private var pending: [UInt8] = []

  /// The lines that `bytes` end.
  mutating func append(_ bytes: [UInt8]) throws(LineTooLong) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      pending += rest[..<end]
      rest = rest[(end + 1)...]
      if let line = takeLine() { lines.append(line) }
    }
    pending += rest
    guard pending.count <= Self.lineBytesMax else { throw LineTooLong() }
    return lines
  }

  /// What stands behind the last line break, at the end of the stream.
  mutating func end() -> [UInt8]? { takeLine() }

  private mutating func takeLine() -> [UInt8]? {
    if pending.last == UInt8(ascii: "\r") { pending.removeLast() }
    defer { pending = [] }
    return pending.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") } ? nil : pending
  }
}
