extension JSONReader {
  /// The text of a string.
  func string(_ string: JSONString) -> String { String(decoding: unescaped(string), as: UTF8.self) }

  /// The UTF-8 of a string's text.
  func unescaped(_ string: JSONString) -> [UInt8] {
    var bytes: [UInt8] = []
    append(string, to: &bytes)
    return bytes
  }

  /// Appends the UTF-8 of a string's text. The string's syntax has been checked.
  func append(_ string: JSONString, to bytes: inout [UInt8]) {
    guard string.hasEscapes else { return bytes.append(span: text.extracting(string.range)) }
    var index = string.range.lowerBound
    while index < string.range.upperBound {
      let character = text[index]
      index += 1
      if character == UInt8(ascii: "\\") {
        appendEscaped(&index, to: &bytes)
      } else {
        bytes.append(character)
      }
    }
  }

  /// Appends what the escape behind a backslash stands for.
  private func appendEscaped(_ index: inout Int, to bytes: inout [UInt8]) {
    let character = text[index]
    index += 1
    switch character {
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
    case UInt8(ascii: "r"): bytes.append(UInt8(ascii: "\r"))
    case UInt8(ascii: "t"): bytes.append(UInt8(ascii: "\t"))
    case UInt8(ascii: "u"):
      var units = [hexadecimalUnit(&index)]
      if UTF16.isLeadSurrogate(units[0]) {
        index += 2
        units.append(hexadecimalUnit(&index))
      }
      bytes += Array(String(decoding: units, as: UTF16.self).utf8)
    default: bytes.append(character)
    }
  }

  private func hexadecimalUnit(_ index: inout Int) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      unit = unit << 4 | (hexadecimalValue(text[index]) ?? 0)
      index += 1
    }
    return unit
  }
}
