package import EventLoop
internal import Wire

/// Where in a trace something happens: the header `traceparent` of W3C Trace Context, section 3.2.
package struct TraceParent: Hashable, Sendable, BitwiseCopyable {
  /// The first half of the trace's id.
  package let traceHigh: UInt64
  /// The second half of the trace's id; the halves are not both 0.
  package let traceLow: UInt64
  /// The span; never 0.
  package let spanID: UInt64
  /// Whether the spans of the trace are recorded.
  package let isSampled: Bool

  /// The span `spanID` of a trace.
  package init(traceHigh: UInt64, traceLow: UInt64, spanID: UInt64, isSampled: Bool) {
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.spanID = spanID
    self.isSampled = isSampled
  }

  /// Reads `00-` trace id `-` span id `-` flags, in lower-case hexadecimal digits.
  ///
  /// Version `ff` and ids of zeros are invalid (sections 3.2.2.1 to 3.2.2.4). Of later versions, what the first one has is
  /// read, and what may follow is dropped (section 3.2.4).
  package init?(_ text: String) {
    var text = text
    guard let parsed = text.withUTF8({ Self.parse($0.span) }) else { return nil }
    self = parsed
  }

  private static func parse(_ text: Span<UInt8>) -> TraceParent? {
    guard text.count >= 55, text[2] == dash, text[35] == dash, text[52] == dash,
      let version = number(text, 0..<2), version != 0xFF,
      text.count == 55 || version != 0 && text[55] == dash,
      let traceHigh = number(text, 3..<19), let traceLow = number(text, 19..<35), traceHigh | traceLow != 0,
      let spanID = number(text, 36..<52), spanID != 0, let flags = number(text, 53..<55)
    else { return nil }
    return TraceParent(traceHigh: traceHigh, traceLow: traceLow, spanID: spanID, isSampled: flags & 1 == 1)
  }

  private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
    var number: UInt64 = 0
    for index in range {
      switch text[index] {
      case 0x30...0x39: number = number << 4 | UInt64(text[index] - 0x30)
      case 0x61...0x66: number = number << 4 | UInt64(text[index] - 0x57)
      default: return nil
      }
    }
    return number
  }

  /// A new trace.
  package static func root(isSampled: Bool, using random: inout RandomNumbers) -> TraceParent {
    TraceParent(
      traceHigh: random.next(), traceLow: max(1, random.next()), spanID: max(1, random.next()), isSampled: isSampled)
  }

  /// Another span of the same trace.
  package func child(using random: inout RandomNumbers) -> TraceParent {
    TraceParent(traceHigh: traceHigh, traceLow: traceLow, spanID: max(1, random.next()), isSampled: isSampled)
  }

  /// The trace's id in 32 hexadecimal digits.
  package var traceID: String {
    var text: [UInt8] = []
    traceHigh.appendHexadecimal(to: &text)
    traceLow.appendHexadecimal(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// The header's value, in version 00.
  package var text: String {
    var text: [UInt8] = []
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends the header's value.
  package func append(to text: inout [UInt8]) {
    text.reserveCapacity(text.count + 55)
    text.append(contentsOf: "00-".utf8)
    traceHigh.appendHexadecimal(to: &text)
    traceLow.appendHexadecimal(to: &text)
    text.append(Self.dash)
    spanID.appendHexadecimal(to: &text)
    text.append(contentsOf: (isSampled ? "-01" : "-00").utf8)
  }

  private static let dash = UInt8(ascii: "-")
}
