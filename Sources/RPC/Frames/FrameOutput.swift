internal import EventLoop

/// The frames that a connection sends: gathered during a turn of the loop, and written at its end at the latest.
// Confined to the event loop of its connection.
final class FrameOutput: @unchecked Sendable {
  /// Bytes that are worth a system call, so that the peer works while this side goes on.
  private static let writeBytesMin = 16 << 10

  private let tcp: TCPConnection
  private var bytes: [UInt8] = []
  private var isFlushing = false
  private var flushed: UInt64 = 0
  /// Is told when a turn's frames were handed to the socket.
  var onFlush: (() -> Void)?

  /// What goes out on `tcp`.
  init(_ tcp: TCPConnection) { self.tcp = tcp }

  /// Bytes of all frames so far.
  var total: UInt64 { flushed + UInt64(bytes.count) }

  /// Bytes that the socket has not taken.
  var backlog: Int { bytes.count + tcp.queuedBytes }

  /// Appends a frame without metadata.
  func append(_ header: FrameHeader, payload: [UInt8] = []) {
    begin()
    header.append(payload: payload, to: &bytes)
    writeIfWorthwhile()
  }

  /// Appends a greeting.
  func append(_ hello: Hello) {
    begin()
    hello.append(to: &bytes)
  }

  /// Appends a frame of the metadata, if there is any, and of what `appendBody` appends.
  ///
  /// - Returns: nil, or the size of a payload that is longer than `payloadMax`: nothing was appended then.
  func append(
    _ header: FrameHeader, _ metadata: Metadata, payloadMax: Int = .max, _ appendBody: (inout [UInt8]) -> Void
  ) -> Int? {
    begin()
    let excess = Self.append(header, metadata, payloadMax, to: &bytes, appendBody)
    writeIfWorthwhile()
    return excess
  }

  /// Writes what there is.
  func flush() {
    isFlushing = false
    write()
    tcp.loop.giveBack(&bytes)
    onFlush?()
  }

  private func writeIfWorthwhile() {
    if bytes.count >= Self.writeBytesMin { write() }
  }

  private func write() {
    flushed &+= UInt64(bytes.count)
    // Not in place: were the connection found lost while it is written to, its end would append more.
    var outgoing: [UInt8] = []
    swap(&outgoing, &bytes)
    tcp.write(&outgoing)
    if bytes.isEmpty { swap(&outgoing, &bytes) }
  }

  private func begin() {
    if isFlushing { return }
    isFlushing = true
    bytes = tcp.loop.takeBuffer()
    tcp.loop.atEndOfTurn { if self.isFlushing { self.flush() } }
  }

  private static func append(
    _ header: FrameHeader, _ metadata: Metadata, _ payloadMax: Int, to bytes: inout [UInt8],
    _ appendBody: (inout [UInt8]) -> Void
  ) -> Int? {
    var header = header
    let start = FrameHeader.reserve(in: &bytes)
    if !metadata.isEmpty {
      header.flags.insert(.metadata)
      metadata.append(to: &bytes)
    }
    appendBody(&bytes)
    let size = bytes.count - start - FrameHeader.size
    guard size <= payloadMax else {
      bytes.removeSubrange(start...)
      return size
    }
    header.seal(in: &bytes, at: start)
    return nil
  }
}
