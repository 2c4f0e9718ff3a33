import EventLoop
import Service
import TestSupport
import Testing

@Suite struct BatchedReadsTests {
  private struct Failure: Error {}

  @Test func `what is asked for at once is read at once, and each gets its own`() async throws {
    try await onLoop { loop in
      let asked = Locked<[[Int]]>([])
      let reads = BatchedReads<Int, String>(loop: loop) { keys, _ in
        asked.withLock { $0.append(keys) }
        try await loop.sleep(for: .milliseconds(1))
        return Dictionary(uniqueKeysWithValues: Set(keys).filter { $0 % 3 != 0 }.map { ($0, "value \($0)") })
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<100 {
          group.addTask {
            let key = number / 2
            let value = try await reads.value(of: key)
            #expect(value == (key % 3 == 0 ? nil : "value \(key)"))
          }
        }
        try await group.waitForAll()
      }
      #expect(asked.withLock { $0.flatMap(\.self).count } == 100 && asked.withLock { $0.count } <= 3)
    }
  }

  @Test func `who gives up leaves at once, and a read is stopped when all have`() async throws {
    try await onLoop { loop in
      let (began, stopped) = (Locked(0), Locked(0))
      let reads = BatchedReads<Int, Int>(loop: loop) { keys, _ in
        began.withLock { $0 += 1 }
        do { try await loop.sleep(for: .seconds(600)) } catch {
          stopped.withLock { $0 += 1 }
          throw error
        }
        return [:]
      }
      func ask(_ key: Int) -> Task<Void, Never> {
        loop.startTask {
          await #expect(throws: CancellationError.self) { _ = try await reads.value(of: key) }
        }
      }
      let callers = (0..<3).map(ask)
      while began.withLock({ $0 }) == 0 { try await loop.sleep(for: .milliseconds(1)) }
      callers[0].cancel()
      await callers[0].value
      #expect(stopped.withLock { $0 } == 0, "two still want it")
      for caller in callers { caller.cancel() }
      for caller in callers { await caller.value }
      while stopped.withLock({ $0 }) == 0 { try await loop.sleep(for: .milliseconds(1)) }
      let later = ask(4)
      while began.withLock({ $0 }) == 1 { try await loop.sleep(for: .milliseconds(1)) }
      later.cancel()
      await later.value
    }
  }

  @Test func `a read that fails fails for those who asked, and the next is another`() async throws {
    try await onLoop { loop in
      let isFailing = Locked(true)
      let reads = BatchedReads<Int, Int>(loop: loop) { keys, _ in
        if isFailing.withLock({ $0 }) { throw Failure() }
        return Dictionary(uniqueKeysWithValues: keys.map { ($0, $0) })
      }
      await #expect(throws: Failure.self) { _ = try await reads.value(of: 1) }
      isFailing.withLock { $0 = false }
      let value = try await reads.value(of: 1)
      #expect(value == 1)
      let past = loop.now
      await #expect(throws: BatchCameTooLate.self) { _ = try await reads.value(of: 1, deadline: past) }
    }
  }
}
