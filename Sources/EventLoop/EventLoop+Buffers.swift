/// Buffers for what goes out in a turn. A writer needs one only until the turn ends, so that all can share a few, and an
/// idle connection holds none.
extension EventLoop {
  /// Buffers that are kept.
  private static let sparesMax = 8
  /// A larger buffer is let go.
  private static let spareBytesMax = 1 << 20

  /// An empty buffer. Only on the loop.
  package func takeBuffer() -> [UInt8] {
    preconditionCurrent()
    return spareBuffers.popLast() ?? []
  }

  /// Takes back an empty buffer, for the next writer.
  package func giveBack(_ buffer: inout [UInt8]) {
    preconditionCurrent()
    guard buffer.capacity > 0 else { return }
    if buffer.capacity <= Self.spareBytesMax, spareBuffers.count < Self.sparesMax {
      buffer.removeAll(keepingCapacity: true)
      spareBuffers.append(buffer)
    }
    buffer = []
  }
}
