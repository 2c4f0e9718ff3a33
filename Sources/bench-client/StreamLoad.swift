internal import API
internal import EventLoop
internal import RPC

/// One stream of messages of 1 KB, for so long.
struct StreamLoad: Sendable {
  /// Who sends.
  enum Shape: String, CaseIterable {
    case produce
    case consume
  }

  private static let messageBytes = 1_024

  let probe: ProbeClient
  let loop: EventLoop
  let duration: Duration

  /// - Returns: what was measured, as JSON.
  func run(_ shape: Shape) async throws -> String {
    let start = LoopInstant.current.nanoseconds
    let count = try await shape == .produce ? produce(from: start) : consume(from: start)
    let seconds = Double(LoopInstant.current.nanoseconds - start) / 1e9
    return "{\"messages\": \(count), \"messagesPerSecond\": \(Double(count) / seconds)}"
  }

  /// Reads what the server sends.
  private func produce(from start: UInt64) async throws -> UInt64 {
    let end = start + UInt64(duration.nanoseconds)
    let call = probe.produce(ProduceRequest(count: .max, size: UInt32(Self.messageBytes)), options: options)
    var count: UInt64 = 0
    for try await _ in call {
      count += 1
      if LoopInstant.current.nanoseconds >= end { break }
    }
    return count
  }

  /// Sends; what counts has been read by the server.
  private func consume(from start: UInt64) async throws -> UInt64 {
    let end = start + UInt64(duration.nanoseconds)
    let call = probe.consume(options: options)
    let payload = [UInt8](repeating: 0x70, count: Self.messageBytes)
    var number: UInt64 = 0
    while LoopInstant.current.nanoseconds < end {
      try await call.send(Piece(number: number, payload: payload))
      number += 1
    }
    call.finish()
    return try await call.response().count
  }

  /// With time for what is under way in the end.
  private var options: CallOptions { CallOptions(timeout: duration + .seconds(10)) }
}
