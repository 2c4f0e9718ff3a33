internal import Wire

/// What each side says first: who it is, which versions it speaks, what it accepts; see `Schemas/PROTOCOL.md`, "HELLO".
package struct Hello: Equatable, Sendable {
  /// The version that this code speaks.
  package static let version: UInt16 = 1
  /// `GOZN`: tells a peer of this protocol from any other.
  static let magic: UInt32 = 0x4E5A_4F47
  /// Bytes of the part that has a fixed size.
  static let fixedSize = 28

  /// The oldest version the sender speaks.
  package var versionMin: UInt16 = Hello.version
  /// The newest version the sender speaks.
  package var versionMax: UInt16 = Hello.version
  /// The longest payload the sender accepts, in bytes.
  package var payloadBytesMax: UInt32
  /// How many calls the sender lets its peer have open at once.
  package var streamsMax: UInt32
  /// The shortest time between two pings that the sender accepts, in milliseconds.
  package var pingIntervalMillisecondsMin: UInt32
  /// The credit for messages to the sender that each call begins with, in bytes.
  package var callWindow: UInt32
  /// The credit for messages to the sender that the connection begins with, in bytes.
  package var connectionWindow: UInt32
  /// Who the sender is, and what proves it.
  package var metadata: Metadata

  /// A greeting with these limits.
  package init(
    payloadBytesMax: UInt32, streamsMax: UInt32, pingIntervalMillisecondsMin: UInt32 = 1_000,
    callWindow: UInt32 = 256 << 10, connectionWindow: UInt32 = 4 << 20, metadata: Metadata = [:]
  ) {
    self.payloadBytesMax = payloadBytesMax
    self.streamsMax = streamsMax
    self.pingIntervalMillisecondsMin = pingIntervalMillisecondsMin
    self.callWindow = callWindow
    self.connectionWindow = connectionWindow
    self.metadata = metadata
  }

  /// Appends the whole frame.
  package func append(to bytes: inout [UInt8]) {
    let start = FrameHeader.reserve(in: &bytes)
    let body = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: Self.fixedSize))
    do {
      var span = bytes.mutableSpan
      var raw = span.mutableBytes
      raw.storeLittleEndian(Self.magic, at: body)
      raw.storeLittleEndian(versionMin, at: body + 4)
      raw.storeLittleEndian(versionMax, at: body + 6)
      raw.storeLittleEndian(payloadBytesMax, at: body + 8)
      raw.storeLittleEndian(streamsMax, at: body + 12)
      raw.storeLittleEndian(pingIntervalMillisecondsMin, at: body + 16)
      raw.storeLittleEndian(callWindow, at: body + 20)
      raw.storeLittleEndian(connectionWindow, at: body + 24)
    }
    metadata.append(to: &bytes)
    FrameHeader(kind: .hello).seal(in: &bytes, at: start)
  }

  /// Reads a greeting; bytes behind the known parts are a newer version's and are skipped. Nil when it is none.
  static func decode(_ payload: RawSpan) -> Hello? {
    guard payload.byteCount >= fixedSize, payload.littleEndian(at: 0, as: UInt32.self) == magic,
      let (metadata, _) = Metadata.decode(payload.extracting(fixedSize..<payload.byteCount))
    else { return nil }
    var hello = Hello(
      payloadBytesMax: payload.littleEndian(at: 8, as: UInt32.self),
      streamsMax: payload.littleEndian(at: 12, as: UInt32.self),
      pingIntervalMillisecondsMin: payload.littleEndian(at: 16, as: UInt32.self),
      callWindow: payload.littleEndian(at: 20, as: UInt32.self),
      connectionWindow: payload.littleEndian(at: 24, as: UInt32.self), metadata: metadata)
    hello.versionMin = payload.littleEndian(at: 4, as: UInt16.self)
    hello.versionMax = payload.littleEndian(at: 6, as: UInt16.self)
    guard max(hello.callWindow, hello.connectionWindow) <= FlowControl.creditMax else { return nil }
    return hello
  }

  /// Whether both sides speak a common version.
  func isCompatible(with peer: Hello) -> Bool {
    peer.versionMin <= versionMax && versionMin <= peer.versionMax && peer.versionMin <= peer.versionMax
  }
}
