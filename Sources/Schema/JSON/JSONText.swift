import Wire

/// Appends text as a JSON string, escaping only what RFC 8259 section 7 demands.
///
/// Throws when the text is not valid UTF-8.
func appendString(_ text: Span<UInt8>, to json: inout [UInt8]) throws(DecodingError) {
  do {
    _ = try UTF8Span(validating: text)
  } catch {
    throw DecodingError("the text is not valid UTF-8", at: error.byteOffsets.lowerBound)
  }
  appendQuoted(text, to: &json)
}

/// Appends valid UTF-8 as a JSON string.
func appendQuoted(_ text: Span<UInt8>, to json: inout [UInt8]) {
  json.append(UInt8(ascii: "\""))
  var start = 0
  for index in text.indices where needsEscape(text[index]) {
    json.append(span: text.extracting(start..<index))
    appendEscape(text[index], to: &json)
    start = index + 1
  }
  json.append(span: text.extracting(start..<text.count))
  json.append(UInt8(ascii: "\""))
}

private func needsEscape(_ character: UInt8) -> Bool {
  character < 0x20 || character == UInt8(ascii: "\"") || character == UInt8(ascii: "\\")
}

private func appendEscape(_ character: UInt8, to json: inout [UInt8]) {
  json.append(UInt8(ascii: "\\"))
  switch character {
  case UInt8(ascii: "\""), UInt8(ascii: "\\"): json.append(character)
  case UInt8(ascii: "\n"): json.append(UInt8(ascii: "n"))
  case UInt8(ascii: "\r"): json.append(UInt8(ascii: "r"))
  case UInt8(ascii: "\t"): json.append(UInt8(ascii: "t"))
  case 0x08: json.append(UInt8(ascii: "b"))
  case 0x0C: json.append(UInt8(ascii: "f"))
  default:
    let digits = "0123456789abcdef".utf8.span
    json.append(span: "u00".utf8.span)
    json.append(digits[Int(character >> 4)])
    json.append(digits[Int(character & 15)])
  }
}

/// Appends a number in decimal digits.
func appendDecimal(_ value: Int64, to json: inout [UInt8]) {
  if value < 0 { json.append(UInt8(ascii: "-")) }
  appendDecimal(value.magnitude, to: &json)
}

/// Appends a number in decimal digits.
func appendDecimal(_ value: UInt64, to json: inout [UInt8]) {
  var (count, rest) = (1, value / 10)
  while rest > 0 { (count, rest) = (count + 1, rest / 10) }
  json.append(addingCapacity: count) { output in
    output.append(repeating: 0, count: count)
    var digits = output.mutableSpan
    rest = value
    for index in stride(from: count - 1, through: 0, by: -1) {
      digits[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }
}

/// Appends bytes as a JSON string in base64 with padding (RFC 4648 section 4).
func appendBase64(_ bytes: Span<UInt8>, to json: inout [UInt8]) {
  let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8.span
  json.append(addingCapacity: (bytes.count + 2) / 3 * 4 + 2) { output in
    output.append(UInt8(ascii: "\""))
    var index = 0
    while index < bytes.count {
      let count = min(3, bytes.count - index)
      var group: UInt32 = 0
      for place in 0..<3 { group = group << 8 | (place < count ? UInt32(bytes[index + place]) : 0) }
      for place in 0..<4 {
        let digit = Int(group >> UInt32(18 - 6 * place) & 63)
        output.append(place <= count ? alphabet[digit] : UInt8(ascii: "="))
      }
      index += 3
    }
    output.append(UInt8(ascii: "\""))
  }
}

/// Appends the bytes that base64 with padding writes; false when the text is not exactly that.
func appendBytes(base64 text: Span<UInt8>, to bytes: inout [UInt8]) -> Bool {
  guard text.count % 4 == 0 else { return false }
  var index = 0
  while index < text.count {
    var padding = 0
    if index + 4 == text.count {
      if text[index + 3] == UInt8(ascii: "=") { padding = text[index + 2] == UInt8(ascii: "=") ? 2 : 1 }
    }
    var group: UInt32 = 0
    for place in 0..<4 {
      guard let digit = place < 4 - padding ? base64Value(text[index + place]) : 0 else { return false }
      group = group << 6 | digit
    }
    // The bits that the padding leaves over are zero, so that a text stands for one value only.
    guard group & (1 << UInt32(8 * padding) - 1) == 0 else { return false }
    for place in 0..<3 - padding { bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * place))) }
    index += 4
  }
  return true
}

private func base64Value(_ character: UInt8) -> UInt32? {
  switch character {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
  case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
  case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
  case UInt8(ascii: "+"): 62
  case UInt8(ascii: "/"): 63
  default: nil
  }
}
