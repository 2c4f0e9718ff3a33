import EventLoop
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct LoopGateTests {
  private struct Failure: Error {}

  @Test func `no more are in it than may be, and all come through in order`() async throws {
    try await onLoop { loop in
      let gate = LoopGate(loop: loop, countMax: 2)
      let (inside, most, passed) = (Locked(0), Locked(0), Locked<[Int]>([]))
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<20 {
          group.addTask {
            try await gate.within {
              let count = inside.withLock { count in
                count += 1
                return count
              }
              most.withLock { $0 = max($0, count) }
              passed.withLock { $0.append(number) }
              try await loop.sleep(for: .milliseconds(1))
              inside.withLock { $0 -= 1 }
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(most.withLock { $0 } == 2 && passed.withLock { $0 } == Array(0..<20))
    }
  }

  @Test func `who gives up or fails leaves its place to the next`() async throws {
    try await onLoop { loop in
      let gate = LoopGate(loop: loop, countMax: 1)
      let holding = LoopSignal(loop: loop)
      let first = loop.startTask { try? await gate.within { await holding.wait() } }
      try await loop.sleep(for: .zero)
      let impatient = (0..<3).map { _ in loop.startTask { _ = try? await gate.within { Issue.record("it gave up") } } }
      let next = loop.startTask { _ = try? await gate.within { throw Failure() } }
      try await loop.sleep(for: .zero)
      for task in impatient { task.cancel() }
      for task in impatient { await task.value }
      holding.signal()
      await first.value
      await next.value
      var isThrough = false
      try await gate.within { isThrough = true }
      #expect(isThrough)
    }
  }

  @Test func `who gives up in the moment in which its turn comes hands the turn on`() async throws {
    try await onLoop { loop in
      let gate = LoopGate(loop: loop, countMax: 1)
      let holding = LoopSignal(loop: loop)
      let first = loop.startTask { try? await gate.within { await holding.wait() } }
      try await loop.sleep(for: .zero)
      let second = loop.startTask { try? await gate.within {} }
      try await loop.sleep(for: .zero)
      holding.signal()
      await first.value
      second.cancel()
      await second.value
      try await gate.within {}
    }
  }
}
