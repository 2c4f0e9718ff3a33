/// Cuts a JSON text (RFC 8259) into its pieces, strictly: one pass, nothing allocated, nothing skipped unchecked.
struct JSONReader: ~Escapable {
  /// The text; valid UTF-8 throughout.
  let text: Span<UInt8>
  /// The next byte.
  private(set) var index = 0

  /// How deep values that nobody wants may be nested.
  static let skippedDepthMax = 32

  /// A reader at the start of a text. Throws when it is not valid UTF-8.
  @_lifetime(copy text)
  init(_ text: Span<UInt8>) throws(JSONSyntaxError) {
    do {
      _ = try UTF8Span(validating: text)
    } catch {
      throw JSONSyntaxError(offset: error.byteOffsets.lowerBound, problem: "the text is not valid UTF-8")
    }
    self.text = text
  }

  // MARK: Structure

  /// What the next value is, by its first character.
  mutating func nextKind() throws(JSONSyntaxError) -> JSONKind {
    skipSpace()
    guard index < text.count else { throw failure("a value is missing") }
    switch text[index] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .list
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "t"): return .true
    case UInt8(ascii: "f"): return .false
    case UInt8(ascii: "n"): return .null
    default: throw failure("a value is expected")
    }
  }

  /// Takes `{` or `[`. Returns whether there is anything before the end, which is taken if not.
  mutating func open(closing: UInt8) -> Bool {
    index += 1
    skipSpace()
    guard index < text.count, text[index] == closing else { return true }
    index += 1
    return false
  }

  /// Takes what follows a member or an element: a comma, or the end. Returns whether another follows.
  mutating func another(closing: UInt8) throws(JSONSyntaxError) -> Bool {
    skipSpace()
    guard index < text.count else { throw failure("',' or '\(Unicode.Scalar(closing))' is missing") }
    let character = text[index]
    guard character == UInt8(ascii: ",") || character == closing else {
      throw failure("',' or '\(Unicode.Scalar(closing))' is expected")
    }
    index += 1
    return character != closing
  }

  /// Takes a member's name and the colon behind it.
  mutating func readName() throws(JSONSyntaxError) -> JSONString {
    skipSpace()
    guard index < text.count, text[index] == UInt8(ascii: "\"") else { throw failure("a name in quotes is expected") }
    let name = try readString()
    skipSpace()
    guard index < text.count, text[index] == UInt8(ascii: ":") else { throw failure("':' is expected") }
    index += 1
    return name
  }

  /// Throws unless nothing but space is left.
  mutating func readEnd() throws(JSONSyntaxError) {
    skipSpace()
    guard index == text.count else { throw failure("nothing is expected behind the value") }
  }

  mutating func skipSpace() {
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): index += 1
      default: return
      }
    }
  }

  // MARK: Values

  /// Takes `true`, `false` or `null`.
  mutating func readLiteral(_ literal: StaticString) throws(JSONSyntaxError) {
    let count = literal.utf8CodeUnitCount
    let matches =
      index + count <= text.count
      && literal.withUTF8Buffer { word in (0..<count).allSatisfy { text[index + $0] == word[$0] } }
    guard matches else { throw failure("'\(literal)' is expected") }
    index += count
  }

  /// Takes a number: `-`? digits, without needless zeros, then perhaps a fraction and an exponent.
  mutating func readNumber() throws(JSONSyntaxError) -> JSONNumber {
    let start = index
    if text[index] == UInt8(ascii: "-") { index += 1 }
    if index < text.count, text[index] == UInt8(ascii: "0") {
      index += 1
      guard digit == nil else { throw failure("a number has no needless zeros") }
    } else {
      try readDigits()
    }
    var isInteger = true
    if index < text.count, text[index] == UInt8(ascii: ".") {
      index += 1
      try readDigits()
      isInteger = false
    }
    if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
      index += 1
      if index < text.count, text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") { index += 1 }
      try readDigits()
      isInteger = false
    }
    return JSONNumber(range: start..<index, isInteger: isInteger)
  }

  private var digit: UInt8? {
    guard index < text.count, text[index] &- UInt8(ascii: "0") < 10 else { return nil }
    return text[index]
  }

  private mutating func readDigits() throws(JSONSyntaxError) {
    guard digit != nil else { throw failure("a digit is expected") }
    while digit != nil { index += 1 }
  }

  /// Takes a string, checking its escapes.
  mutating func readString() throws(JSONSyntaxError) -> JSONString {
    index += 1
    let start = index
    var hasEscapes = false
    while true {
      skipPlainText()
      guard index < text.count else { throw failure("a string has no end") }
      let character = text[index]
      guard character >= 0x20 else { throw failure("a control character in a string must be escaped") }
      index += 1
      if character == UInt8(ascii: "\"") { return JSONString(range: start..<index - 1, hasEscapes: hasEscapes) }
      hasEscapes = true
      try readEscape()
    }
  }

  /// Goes to the next quote, backslash or control character, or to the end.
  private mutating func skipPlainText() {
    let ones: UInt64 = 0x0101_0101_0101_0101
    // Eight bytes at a time: the lowest high bit that is set belongs to the first of them.
    while index + 8 <= text.count {
      let bytes = UInt64(littleEndian: text.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
      let quotes = bytes ^ ones &* UInt64(UInt8(ascii: "\""))
      let backslashes = bytes ^ ones &* UInt64(UInt8(ascii: "\\"))
      let zeroes = (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
      let found = (zeroes | (bytes &- ones &* 0x20) & ~bytes) & (ones &* 0x80)
      if found != 0 {
        index += found.trailingZeroBitCount / 8
        return
      }
      index += 8
    }
    while index < text.count {
      let character = text[index]
      if character == UInt8(ascii: "\"") || character == UInt8(ascii: "\\") || character < 0x20 { return }
      index += 1
    }
  }

  /// Takes the rest of an escape.
  private mutating func readEscape() throws(JSONSyntaxError) {
    guard index < text.count else { throw failure("a string has no end") }
    switch text[index] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      index += 1
    case UInt8(ascii: "u"):
      let start = index - 1
      index += 1
      let unit = try readHexadecimal()
      guard unit & 0xF800 == 0xD800 else { return }
      guard unit < 0xDC00, index + 1 < text.count, text[index] == UInt8(ascii: "\\"),
        text[index + 1] == UInt8(ascii: "u")
      else { throw JSONSyntaxError(offset: start, problem: "half of a surrogate pair stands alone") }
      index += 2
      guard try readHexadecimal() & 0xFC00 == 0xDC00 else {
        throw JSONSyntaxError(offset: start, problem: "half of a surrogate pair stands alone")
      }
    default: throw failure("there is no such escape")
    }
  }

  private mutating func readHexadecimal() throws(JSONSyntaxError) -> UInt16 {
    var value: UInt16 = 0
    for _ in 0..<4 {
      guard index < text.count, let digit = hexadecimalValue(text[index]) else {
        throw failure("four hexadecimal digits are expected")
      }
      value = value << 4 | digit
      index += 1
    }
    return value
  }

  /// Takes a value of any kind, checking its syntax.
  mutating func skipValue(depth: Int = 1) throws(JSONSyntaxError) {
    switch try nextKind() {
    case .string: _ = try readString()
    case .number: _ = try readNumber()
    case .true: try readLiteral("true")
    case .false: try readLiteral("false")
    case .null: try readLiteral("null")
    case .object, .list:
      guard depth <= JSONReader.skippedDepthMax else { throw failure("values are nested too deep") }
      let isObject = text[index] == UInt8(ascii: "{")
      let closing = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
      guard open(closing: closing) else { return }
      repeat {
        if isObject { _ = try readName() }
        try skipValue(depth: depth + 1)
      } while try another(closing: closing)
    }
  }

  func failure(_ problem: String) -> JSONSyntaxError { JSONSyntaxError(offset: index, problem: problem) }
}

/// Why a text is not JSON.
struct JSONSyntaxError: Error {
  /// Where, in bytes from the start.
  let offset: Int
  let problem: String

  /// The problem with its place in the text, as an editor and as a program would say it.
  func description(in text: Span<UInt8>) -> String {
    var (line, column) = (1, 1)
    for index in 0..<min(offset, text.count) {
      if text[index] == UInt8(ascii: "\n") {
        (line, column) = (line + 1, 1)
      } else if text[index] & 0xC0 != 0x80 {
        column += 1
      }
    }
    return "not JSON: \(problem) at line \(line), column \(column) (byte \(offset))"
  }
}

/// What a JSON value may be.
enum JSONKind {
  case object, list, string, number, `true`, `false`, null

  /// The kind as an error names what it found.
  var spelling: String {
    switch self {
    case .object: "an object"
    case .list: "a list"
    case .string: "a string"
    case .number: "a number"
    case .true: "true"
    case .false: "false"
    case .null: "null"
    }
  }
}

/// Where a number stands in the text.
struct JSONNumber {
  let range: Range<Int>
  /// Whether it has neither fraction nor exponent.
  let isInteger: Bool
}

/// Where a string stands in the text, without its quotes.
struct JSONString {
  let range: Range<Int>
  let hasEscapes: Bool
}

func hexadecimalValue(_ character: UInt8) -> UInt16? {
  switch character {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(character - UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(character - UInt8(ascii: "a") + 10)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(character - UInt8(ascii: "A") + 10)
  default: nil
  }
}
