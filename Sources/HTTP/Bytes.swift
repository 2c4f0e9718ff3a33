/// The characters that HTTP gives a meaning to (RFC 9110 section 5.6, RFC 3986 section 2).
extension UInt8 {
  static let horizontalTab: UInt8 = 0x09
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let space: UInt8 = 0x20
  static let colon: UInt8 = 0x3A

  var isASCIIDigit: Bool { self &- 0x30 < 10 }

  var isASCIILetter: Bool { (self | 0x20) &- 0x61 < 26 }

  var isBlank: Bool { self == .space || self == .horizontalTab }

  /// Whether it may stand in a token, such as a method or a field's name.
  var isTokenCharacter: Bool {
    if isASCIILetter || isASCIIDigit { return true }
    switch self {
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
      UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      return true
    default:
      return false
    }
  }

  /// Whether it may stand in a field's value: anything but control characters; tabs may.
  var isFieldCharacter: Bool { self >= 0x20 && self != 0x7F || self == .horizontalTab }

  /// The value of a hexadecimal digit; nil for anything else.
  var hexadecimalValue: UInt8? {
    if isASCIIDigit { return self &- 0x30 }
    let letter = (self | 0x20) &- 0x61
    return letter < 6 ? letter + 10 : nil
  }
}

extension ArraySlice<UInt8> {
  /// Whether these bytes spell an ASCII word, in whatever case.
  func equalsIgnoringCase(_ word: String) -> Bool {
    let word = word.utf8
    if count != word.count { return false }
    for (ours, theirs) in zip(self, word) where ours != theirs {
      guard ours ^ theirs == 0x20, ours.isASCIILetter else { return false }
    }
    return true
  }
}

extension [UInt8] {
  /// Adds the bytes of `span` that `range` names.
  mutating func append(_ span: borrowing RawSpan, _ range: Range<Int>) {
    span.extracting(range).withUnsafeBytes { append(contentsOf: $0) }
  }
}
