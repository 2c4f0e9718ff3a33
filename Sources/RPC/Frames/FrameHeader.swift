internal import Wire

/// The 24 bytes in front of every frame's payload, little-endian; see `Schemas/PROTOCOL.md`, "Frame header".
package struct FrameHeader: Equatable, Sendable {
  /// Bytes of a header.
  package static let size = 24

  /// Bytes of payload that follow.
  package var length: UInt32
  /// The call, numbered upwards from 1 by the caller; in a goAway the last that was seen; 0 for the connection.
  package var stream: UInt32
  /// What the frame is for.
  package var kind: FrameKind
  /// Which optional parts the payload has.
  package var flags: Flags
  /// The method of a request, the status of a response, the reason of a goAway; 0 otherwise.
  package var code: UInt16
  /// The milliseconds left of a request or until a goAway's end, the bytes of a credit, the number of a ping or pong;
  /// 0 otherwise.
  package var value: UInt32

  /// What a frame says beside its kind; ``FrameKind/flags`` are those that a kind may have.
  package struct Flags: OptionSet, Equatable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// The payload begins with metadata.
    package static let metadata = Flags(rawValue: 1)
    /// The requests of the call follow as messages, and an end after the last.
    package static let requestsStream = Flags(rawValue: 2)
    /// The caller takes messages before the response.
    package static let responsesStream = Flags(rawValue: 4)
  }

  /// A header of `kind`; everything else is zero unless given.
  package init(
    kind: FrameKind, stream: UInt32 = 0, flags: Flags = [], code: UInt16 = 0, value: UInt32 = 0, length: UInt32 = 0
  ) {
    self.length = length
    self.stream = stream
    self.kind = kind
    self.flags = flags
    self.code = code
    self.value = value
  }

  /// Reads a header from the first 24 of `bytes`, trusting nothing before its checksum holds.
  ///
  /// - Returns: the header, and the checksum that its payload must have.
  static func decode(_ bytes: RawSpan) throws(FrameError) -> (header: FrameHeader, payloadChecksum: UInt32) {
    let checksum = bytes.littleEndian(at: 20, as: UInt32.self)
    guard CRC32.checksum(bytes.extracting(0..<20)) == checksum else {
      throw .notAFrame(first: bytes.littleEndian(at: 0, as: UInt32.self))
    }
    let kind = bytes.littleEndian(at: 8, as: UInt8.self)
    let flags = Flags(rawValue: bytes.littleEndian(at: 9, as: UInt8.self))
    guard let known = FrameKind(rawValue: kind) else { throw .unknownKind(kind) }
    guard flags.isSubset(of: known.flags) else { throw .unknownFlags(flags.rawValue) }
    guard known.hasPayload || bytes.littleEndian(at: 0, as: UInt32.self) == 0 else { throw .unexpectedPayload(known) }
    let header = FrameHeader(
      kind: known, stream: bytes.littleEndian(at: 4, as: UInt32.self), flags: flags,
      code: bytes.littleEndian(at: 10, as: UInt16.self), value: bytes.littleEndian(at: 12, as: UInt32.self),
      length: bytes.littleEndian(at: 0, as: UInt32.self))
    return (header, bytes.littleEndian(at: 16, as: UInt32.self))
  }

  /// Writes this header over the 24 bytes at `start`, its length and checksums made from the payload behind them, which
  /// reaches to the end of `bytes`.
  package func seal(in bytes: inout [UInt8], at start: Int) {
    let payload = CRC32.checksum(bytes.span.bytes.extracting((start + Self.size)..<bytes.count))
    let length = UInt32(truncatingIfNeeded: bytes.count - start - Self.size)
    do {
      var span = bytes.mutableSpan
      var raw = span.mutableBytes
      raw.storeLittleEndian(length, at: start)
      raw.storeLittleEndian(stream, at: start + 4)
      raw.storeLittleEndian(kind.rawValue, at: start + 8)
      raw.storeLittleEndian(flags.rawValue, at: start + 9)
      raw.storeLittleEndian(code, at: start + 10)
      raw.storeLittleEndian(value, at: start + 12)
      raw.storeLittleEndian(payload, at: start + 16)
    }
    let header = CRC32.checksum(bytes.span.bytes.extracting(start..<(start + 20)))
    var span = bytes.mutableSpan
    var raw = span.mutableBytes
    raw.storeLittleEndian(header, at: start + 20)
  }

  /// Room for a header at the end of `bytes`, to be filled by ``seal(in:at:)`` once the payload stands behind it.
  package static func reserve(in bytes: inout [UInt8]) -> Int {
    let start = bytes.count
    bytes.append(addingCapacity: size) { $0.append(repeating: 0, count: size) }
    return start
  }

  /// Appends a whole frame of this header and `payload`.
  package func append(payload: [UInt8] = [], to bytes: inout [UInt8]) {
    let start = Self.reserve(in: &bytes)
    bytes.append(contentsOf: payload)
    seal(in: &bytes, at: start)
  }
}
