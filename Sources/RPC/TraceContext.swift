/// What traces are called by as they travel (W3C Trace Context).
package enum TraceContext {
  /// Whether `text` is a traceparent: `00-` trace id `-` parent id `-` flags, in lower-case hexadecimal digits.
  ///
  /// Version `ff` and ids of zeros are invalid (sections 3.2.2.1 to 3.2.2.4). Of later versions, those are taken that
  /// have the length of the first.
  package static func isTraceparent(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { isTraceparent($0.span) }
  }

  private static func isTraceparent(_ text: Span<UInt8>) -> Bool {
    guard text.count == 55, text[2] == dash, text[35] == dash, text[52] == dash else { return false }
    let isVersion = areDigits(text, 0..<2) && !(text[0] == f && text[1] == f)
    return isVersion && isID(text, 3..<35) && isID(text, 36..<52) && areDigits(text, 53..<55)
  }

  private static let dash = UInt8(ascii: "-")
  private static let f = UInt8(ascii: "f")

  /// Whether these are digits, and not all zeros.
  private static func isID(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    areDigits(text, range) && range.contains { text[$0] != UInt8(ascii: "0") }
  }

  private static func areDigits(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    range.allSatisfy { 0x30...0x39 ~= text[$0] || 0x61...0x66 ~= text[$0] }
  }
}
