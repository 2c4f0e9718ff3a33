internal import Wire

/// Cuts a byte stream into frames.
///
/// Frames that arrive whole are handed out in place; only a frame that is cut by the end of what arrived is copied, and
/// never more than `payloadLimit` bytes of it: a header is checked before its payload is awaited.
struct FrameDecoder {
  /// The longest payload that is accepted, in bytes.
  let payloadLimit: Int
  private var pending: [UInt8] = []

  /// A decoder at the start of a stream.
  init(payloadLimit: Int) { self.payloadLimit = payloadLimit }

  /// Bytes of a frame that has not arrived whole.
  var pendingBytes: Int { pending.count }

  /// Hands each whole frame in `bytes`, and in what was left of the bytes before, to `body`; the rest waits.
  ///
  /// `body` returns whether to go on.
  mutating func decode(
    _ bytes: borrowing RawSpan, _ body: (FrameHeader, RawSpan) -> Bool
  ) throws(FrameError) {
    var offset = 0
    while !pending.isEmpty, offset < bytes.byteCount {
      let wanted = try bytesWanted(pending.span.bytes)
      let taken = min(wanted - pending.count, bytes.byteCount - offset)
      append(bytes.extracting(offset..<(offset + taken)))
      offset += taken
      guard pending.count == wanted, try bytesWanted(pending.span.bytes) == wanted else { continue }
      let goesOn = try decodeFirst(pending.span.bytes, body).goesOn
      forgetPending()
      if !goesOn { return }
    }
    while offset < bytes.byteCount {
      let rest = bytes.extracting(offset..<bytes.byteCount)
      let (size, goesOn) = try decodeFirst(rest, body)
      if size == 0 { return append(rest) }
      if !goesOn { return }
      offset += size
    }
  }

  /// Hands the frame at the start of `bytes` to `body`, unless it is not there as a whole: its size is 0 then.
  private func decodeFirst(
    _ bytes: RawSpan, _ body: (FrameHeader, RawSpan) -> Bool
  ) throws(FrameError) -> (size: Int, goesOn: Bool) {
    guard bytes.byteCount >= FrameHeader.size else { return (0, true) }
    let (header, checksum) = try FrameHeader.decode(bytes)
    let size = try checkedSize(of: header)
    guard bytes.byteCount >= size else { return (0, true) }
    let payload = bytes.extracting(FrameHeader.size..<size)
    guard CRC32.checksum(payload) == checksum else { throw .damagedPayload }
    return (size, body(header, payload))
  }

  /// How many bytes the frame at the start of `bytes` has, as far as can be told: a header's if that is not whole.
  private func bytesWanted(_ bytes: RawSpan) throws(FrameError) -> Int {
    guard bytes.byteCount >= FrameHeader.size else { return FrameHeader.size }
    return try checkedSize(of: FrameHeader.decode(bytes).header)
  }

  private func checkedSize(of header: FrameHeader) throws(FrameError) -> Int {
    guard header.length <= payloadLimit else { throw .tooLong(bytes: header.length, limit: payloadLimit) }
    return FrameHeader.size + Int(header.length)
  }

  /// Empties the buffer, and lets a large one go so that idle connections hold little.
  private mutating func forgetPending() {
    if pending.capacity > 4_096 { pending = [] } else { pending.removeAll(keepingCapacity: true) }
  }

  private mutating func append(_ bytes: RawSpan) {
    bytes.withUnsafeBytes { pending.append(contentsOf: $0) }
  }
}
