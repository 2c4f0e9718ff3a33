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

  /// Whether it may stand in a token, such as a method or a field's name: a letter, a digit, or one of !#$%&'*+-.^_`|~.
  var isTokenCharacter: Bool { isMember(0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE) }

  /// Whether it may stand in a URI: what is visible, but none of "#<>\^`{|}; a fragment is never sent.
  var isURICharacter: Bool { isMember(0xAFFF_FFF2_0000_0000, 0x47FF_FFFE_AFFF_FFFF) }

  /// Whether it is in a set of ASCII characters: bits for 0 to 63, and for 64 to 127.
  private func isMember(_ low: UInt64, _ high: UInt64) -> Bool {
    if self >= 128 { return false }
    return (self < 64 ? low : high) >> UInt64(self & 63) & 1 == 1
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
    var index = startIndex
    for theirs in word {
      let ours = self[index]
      if ours != theirs, ours ^ theirs != 0x20 || !ours.isASCIILetter { return false }
      index += 1
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
