import API
import EventLoop
import TestSupport
import Testing
import Wire

@testable import RPC

@Suite struct MessageQueueTests {
  private static func receive(_ number: UInt64, by queue: MessageQueue<Piece>) throws {
    var bytes: [UInt8] = []
    Piece(number: number).append(to: &bytes)
    try queue.receive(bytes.span.bytes, cost: bytes.count)
  }

  @Test func `a reader that is cancelled as its message comes does not end the read after it`() async throws {
    try await onLoop { loop in
      let queue = MessageQueue<Piece>(loop: loop, validates: false)
      let cancelled = Task.immediate(executorPreference: loop.taskExecutor) { try await queue.next() }
      cancelled.cancel()
      try Self.receive(1, by: queue)
      let next = Task.immediate(executorPreference: loop.taskExecutor) { try await queue.next() }
      #expect(try await cancelled.value?.number == 1)
      try Self.receive(2, by: queue)
      #expect(try await next.value?.number == 2)
    }
  }
}
