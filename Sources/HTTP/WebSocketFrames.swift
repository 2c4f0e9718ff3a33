/// Where the frames of a WebSocket begin and end (RFC 6455 section 5.2). No I/O.
///
/// wslay judges the reason of a close frame wrongly when it comes in pieces: it skips the two bytes of the code in each
/// piece. So it is given such a frame as a whole, which is no more than 139 bytes.
struct WebSocketFrames {
  /// The opcode of a close frame.
  private static let close: UInt8 = 8

  /// Bytes of a frame's payload that have not come.
  private var payloadLeft: UInt64 = 0
  /// A beginning that waits for more: a part of a head, or of a close frame.
  private(set) var kept: [UInt8] = []

  /// Hands over the bytes of a read, after those that were kept, in runs; what has to wait for more is kept.
  mutating func take(_ bytes: borrowing RawSpan, _ body: (borrowing RawSpan) -> Void) {
    if kept.isEmpty { return hand(over: bytes, body) }
    kept.append(bytes, 0..<bytes.byteCount)
    let whole = kept
    kept = []
    hand(over: whole.span.bytes, body)
  }

  private mutating func hand(over bytes: borrowing RawSpan, _ body: (borrowing RawSpan) -> Void) {
    var (start, end) = (0, 0)
    while end < bytes.byteCount {
      if payloadLeft > 0 {
        let count = min(payloadLeft, UInt64(bytes.byteCount - end))
        payloadLeft -= count
        end += Int(count)
        continue
      }
      guard let frame = Self.frame(bytes, at: end) else { break }
      if frame.isClose {
        guard UInt64(bytes.byteCount - end) >= UInt64(frame.headBytes) + frame.payloadBytes else { break }
        if start < end { body(bytes.extracting(start..<end)) }
        start = end
        end += frame.headBytes + Int(frame.payloadBytes)
        body(bytes.extracting(start..<end))
        start = end
      } else {
        end += frame.headBytes
        payloadLeft = frame.payloadBytes
      }
    }
    if start < end { body(bytes.extracting(start..<end)) }
    kept.append(bytes, end..<bytes.byteCount)
  }

  /// The frame whose head begins at `start`; nil when the head is not whole.
  private static func frame(
    _ bytes: borrowing RawSpan, at start: Int
  ) -> (isClose: Bool, headBytes: Int, payloadBytes: UInt64)? {
    func byte(_ offset: Int) -> UInt8 { bytes.unsafeLoad(fromByteOffset: start + offset, as: UInt8.self) }
    let left = bytes.byteCount - start
    guard left >= 2 else { return nil }
    let short = byte(1) & 0x7F
    let lengthBytes = short == 127 ? 8 : short == 126 ? 2 : 0
    let headBytes = 2 + lengthBytes + (byte(1) & 0x80 == 0 ? 0 : 4)
    guard left >= headBytes else { return nil }
    let length = (0..<lengthBytes).reduce(lengthBytes == 0 ? UInt64(short) : 0) { $0 << 8 | UInt64(byte(2 + $1)) }
    // A longer close frame is no frame at all, which the library says.
    return (byte(0) & 0x0F == close && length <= 125, headBytes, length)
  }
}
