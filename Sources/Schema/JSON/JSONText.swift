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
