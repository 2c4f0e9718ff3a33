extension UUID: CustomStringConvertible, LosslessStringConvertible {
  /// The number of bytes of the text form.
  public static let textLength = 36

  /// Reads the 36 characters of the text form (RFC 9562 section 4), in either case; nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parsed = text.utf8.withContiguousStorageIfAvailable { UUID(utf8: $0.span) }
    guard let uuid = parsed ?? UUID(utf8: Array(text.utf8).span) else { return nil }
    self = uuid
  }

  /// Reads the text form from UTF-8 bytes; nil for anything else.
  public init?(utf8 text: Span<UInt8>) {
    guard text.count == UUID.textLength else { return nil }
    let dash = UInt8(ascii: "-")
    guard text[8] == dash, text[13] == dash, text[18] == dash, text[23] == dash else { return nil }
    var isRight = true
    let time = number(text, 0..<8, &isRight) << 32 | number(text, 9..<13, &isRight) << 16
    high = time | number(text, 14..<18, &isRight)
    low = number(text, 19..<23, &isRight) << 48 | number(text, 24..<36, &isRight)
    guard isRight else { return nil }
  }

  /// The text form in lower case, as RFC 9562 section 4 wants it written.
  public var description: String {
    var bytes: [UInt8] = []
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends the 36 bytes of ``description``.
  public func appendText(to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: UUID.textLength) { output in
      output.append(repeating: UInt8(ascii: "-"), count: UUID.textLength)
      var span = output.mutableSpan
      var text = span.mutableBytes
      let (second, third) = (digits(of: high), digits(of: low >> 32))
      text.storeBytes(of: digits(of: high >> 32).bigEndian, toByteOffset: 0, as: UInt64.self)
      text.storeBytes(of: UInt32(truncatingIfNeeded: second >> 32).bigEndian, toByteOffset: 9, as: UInt32.self)
      text.storeBytes(of: UInt32(truncatingIfNeeded: second).bigEndian, toByteOffset: 14, as: UInt32.self)
      text.storeBytes(of: UInt32(truncatingIfNeeded: third >> 32).bigEndian, toByteOffset: 19, as: UInt32.self)
      text.storeBytes(of: UInt32(truncatingIfNeeded: third).bigEndian, toByteOffset: 24, as: UInt32.self)
      text.storeBytes(of: digits(of: low).bigEndian, toByteOffset: 28, as: UInt64.self)
    }
  }
}

extension UInt64 {
  /// Appends the 16 hexadecimal digits of the number, in lower case.
  public func appendHexadecimal(to bytes: inout [UInt8]) {
    bytes.append(addingCapacity: 16) { output in
      output.append(repeating: 0, count: 16)
      var span = output.mutableSpan
      var text = span.mutableBytes
      text.storeBytes(of: digits(of: self >> 32).bigEndian, toByteOffset: 0, as: UInt64.self)
      text.storeBytes(of: digits(of: self).bigEndian, toByteOffset: 8, as: UInt64.self)
    }
  }
}

/// The number that hexadecimal digits in either case write; notes when they are none.
private func number(_ text: Span<UInt8>, _ range: Range<Int>, _ isRight: inout Bool) -> UInt64 {
  var number: UInt64 = 0
  for index in range {
    let character = text[index]
    let isDigit = character &- UInt8(ascii: "0") < 10
    isRight = isRight && (isDigit || (character | 0x20) &- UInt8(ascii: "a") < 6)
    number = number << 4 | UInt64(isDigit ? character & 15 : (character & 15) &+ 9)
  }
  return number
}

/// The eight hexadecimal digits, in lower case, of the low 32 bits; the first of them most significant.
private func digits(of number: UInt64) -> UInt64 {
  // Spreads the eight nibbles over eight bytes, all at once.
  var nibbles = number & 0xFFFF_FFFF
  nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF
  nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
  nibbles = (nibbles | nibbles << 4) & 0x0F0F_0F0F_0F0F_0F0F
  // One in each byte that is a letter: adding six carries into its high nibble.
  let letters = ((nibbles &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
  return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39
}
