/// Where and why a JSON text could not be read.
package struct JSONError: Error, Equatable, CustomStringConvertible {
  /// The first byte that does not fit.
  package let offset: Int
  /// What was expected there.
  package let reason: String

  package var description: String { "\(reason) at byte \(offset)" }
}

extension JSONValue {
  /// Nested arrays and objects that are followed down; JetStream's own answers nest 5 deep.
  package static let depthMax = 32
  /// Bytes of a document; NATS delivers at most 64 MiB in a message, 1 MiB unless configured otherwise.
  package static let bytesMax = 8 << 20

  /// Reads one JSON document (RFC 8259), whole, within ``bytesMax`` and ``depthMax``.
  package init(parsing bytes: Span<UInt8>) throws(JSONError) {
    guard bytes.count <= Self.bytesMax else {
      throw JSONError(offset: Self.bytesMax, reason: "the document is too long")
    }
    var parser = JSONParser(bytes)
    self = try parser.document()
  }
}

/// A recursive descent over the bytes; `offset` is all it remembers.
private struct JSONParser: ~Escapable {
  private let bytes: Span<UInt8>
  private var offset = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  mutating func document() throws(JSONError) -> JSONValue {
    let value = try self.value(depth: 0)
    skipSpace()
    if offset < bytes.count { throw failure("the end was expected") }
    return value
  }

  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    skipSpace()
    switch peek() {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: return try number()
    }
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    guard depth <= JSONValue.depthMax else { throw failure("the nesting is too deep") }
    offset += 1
    var members: [JSONValue.Member] = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipSpace()
      guard peek() == UInt8(ascii: "\"") else { throw failure("a member's name was expected") }
      let name = try string()
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw failure("a colon was expected") }
      members.append(JSONValue.Member(name, try value(depth: depth)))
      skipSpace()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw failure("a comma or a closing brace was expected") }
    }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    guard depth <= JSONValue.depthMax else { throw failure("the nesting is too deep") }
    offset += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(elements) }
    while true {
      elements.append(try value(depth: depth))
      skipSpace()
      if take(UInt8(ascii: "]")) { return .array(elements) }
      guard take(UInt8(ascii: ",")) else { throw failure("a comma or a closing bracket was expected") }
    }
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    for letter in word.description.utf8 {
      guard take(letter) else { throw failure("\(word) was expected") }
    }
    return value
  }

  private mutating func number() throws(JSONError) -> JSONValue {
    let start = offset
    let isNegative = take(UInt8(ascii: "-"))
    guard let first = peek(), isDigit(first) else { throw failure("a value was expected") }
    var magnitude: UInt64? = 0
    while let digit = peek(), isDigit(digit) {
      offset += 1
      magnitude = magnitude?.appending(digit: digit)
    }
    if first == UInt8(ascii: "0"), offset - start > (isNegative ? 2 : 1) { throw failure("a leading zero") }
    let isWhole = try !fractionAndExponent()
    if isWhole, let magnitude {
      if isNegative, magnitude <= Int64.min.magnitude { return .integer(Int64(truncatingIfNeeded: 0 &- magnitude)) }
      if let number = Int64(exactly: magnitude), !isNegative { return .integer(number) }
    }
    guard let number = Double(text(from: start, to: offset)), number.isFinite else {
      throw failure("the number is out of range")
    }
    return .number(number)
  }

  private mutating func fractionAndExponent() throws(JSONError) -> Bool {
    var isThere = false
    if take(UInt8(ascii: ".")) {
      isThere = true
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isThere = true
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    return isThere
  }

  private mutating func digits() throws(JSONError) {
    guard let first = peek(), isDigit(first) else { throw failure("a digit was expected") }
    while let digit = peek(), isDigit(digit) { offset += 1 }
  }

  private mutating func string() throws(JSONError) -> String {
    offset += 1
    let start = offset
    while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { offset += 1 }
    if peek() == UInt8(ascii: "\"") {
      offset += 1
      return try utf8(Array(bytes, from: start, to: offset - 1), from: start)
    }
    return try escapedString(Array(bytes, from: start, to: offset), from: start)
  }

  private mutating func escapedString(_ plain: [UInt8], from start: Int) throws(JSONError) -> String {
    var content = plain
    while let byte = peek() {
      offset += 1
      switch byte {
      case UInt8(ascii: "\""): return try utf8(content, from: start)
      case UInt8(ascii: "\\"): content.append(contentsOf: try escape().utf8)
      case 0..<0x20: throw failure("a control character in a string")
      default: content.append(byte)
      }
    }
    throw failure("the string does not end")
  }

  private mutating func escape() throws(JSONError) -> String {
    guard let letter = peek() else { throw failure("the string does not end") }
    offset += 1
    switch letter {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw failure("an unknown escape")
    }
  }

  private mutating func unicodeEscape() throws(JSONError) -> String {
    let unit = try hexUnit()
    if let scalar = Unicode.Scalar(UInt32(unit)) { return String(scalar) }
    guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw failure("half a surrogate pair") }
    let low = try hexUnit()
    guard (0xD800..<0xDC00).contains(unit), (0xDC00..<0xE000).contains(low) else {
      throw failure("half a surrogate pair")
    }
    let value = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
    return String(Unicode.Scalar(value)!)
  }

  private mutating func hexUnit() throws(JSONError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("a hexadecimal digit was expected")
      }
      offset += 1
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  private func utf8(_ content: [UInt8], from start: Int) throws(JSONError) -> String {
    guard let text = String(validating: content, as: UTF8.self) else {
      throw JSONError(offset: start, reason: "a string that is not UTF-8")
    }
    return text
  }

  private func text(from start: Int, to end: Int) -> String {
    String(decoding: Array(bytes, from: start, to: end), as: UTF8.self)
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    offset += 1
    return true
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private func failure(_ reason: String) -> JSONError { JSONError(offset: offset, reason: reason) }
}

extension UInt64 {
  /// This number with an ASCII digit written behind it; nil when it would not fit, or it is no digit.
  package func appending(digit: UInt8) -> UInt64? {
    guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
    let (scaled, overflow) = multipliedReportingOverflow(by: 10)
    let (sum, carry) = scaled.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
    return overflow || carry ? nil : sum
  }
}

extension Array where Element == UInt8 {
  /// A copy of some of a span's bytes.
  package init(_ bytes: Span<UInt8>, from start: Int, to end: Int) {
    self = bytes.extracting(start..<end).withUnsafeBufferPointer { Array($0) }
  }
}
