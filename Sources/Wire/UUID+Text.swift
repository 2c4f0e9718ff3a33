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
    self.init(high: 0, low: 0)
    var digits = 0
    for index in 0..<UUID.textLength {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard text[index] == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = hexadecimalValue(text[index]) else { return nil }
      if digits < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
      digits += 1
    }
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
      for index in 0..<16 {
        if index == 4 || index == 6 || index == 8 || index == 10 { output.append(UInt8(ascii: "-")) }
        let half = index < 8 ? high : low
        let byte = UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64(index % 8)))
        output.append(hexadecimalDigit(byte >> 4))
        output.append(hexadecimalDigit(byte & 15))
      }
    }
  }
}

/// The value of a hexadecimal digit in either case; nil for any other character.
private func hexadecimalValue(_ character: UInt8) -> UInt64? {
  switch character {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(character - UInt8(ascii: "0"))
  case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(character - UInt8(ascii: "a") + 10)
  case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(character - UInt8(ascii: "A") + 10)
  default: nil
  }
}

/// The lower-case digit of a value under 16.
private func hexadecimalDigit(_ value: UInt8) -> UInt8 {
  value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
}
