import EventLoop
import TestSupport
import Testing

@testable import Service

@Suite struct BatcherTests {
  private struct Refused: Error, Equatable { let number: Int }
  private typealias Numbers = Batcher<Int, Int>

  /// Submits the numbers at once, and returns their results in order.
  private static func submit(_ numbers: some Sequence<Int>, to batcher: Numbers) async -> [Result<Int, any Error>] {
    await withTaskGroup(of: (Int, Result<Int, any Error>).self) { group in
      var count = 0
      for number in numbers {
        let place = count
        group.addTask {
          do { return (place, .success(try await batcher.submit(number))) } catch { return (place, .failure(error)) }
        }
        count += 1
      }
      var results = [Result<Int, any Error>](repeating: .failure(CancellationError()), count: count)
      for await (place, result) in group { results[place] = result }
      return results
    }
  }

  @Test func `what comes in a turn is one batch, and what comes meanwhile the next`() async throws {
    let batches = try await onLoop { loop in
      let batches = Locked<[[Int]]>([])
      let gate = LoopSignal(loop: loop)
      let batcher = Numbers(loop: loop, batchMax: 100, queueMax: 1_000) { items, _ in
        batches.withLock { $0.append(items) }
        await gate.wait()
        return items.map { .success($0) }
      }
      func until(_ condition: () -> Bool) async throws {
        while !condition() { try await loop.sleep(for: .milliseconds(1)) }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { _ = await Self.submit(0..<3, to: batcher) }
        try await until { batches.withLock { $0.count } == 1 }
        group.addTask { _ = await Self.submit(3..<5, to: batcher) }
        try await until { batcher.waiting == 2 }
        group.addTask { _ = await Self.submit(5..<9, to: batcher) }
        try await until { batcher.waiting == 6 }
        gate.signal()
        try await until { batches.withLock { $0.count } == 2 }
        gate.signal()
        try await group.waitForAll()
      }
      return batches.withLock { $0 }
    }
    #expect(batches == [[0, 1, 2], [3, 4, 5, 6, 7, 8]])
  }

  @Test func `each item gets its own answer, in batches of bounded size`() async throws {
    try await onLoop { loop in
      let sizes = Locked<[Int]>([])
      let batcher = Numbers(loop: loop, batchMax: 7, queueMax: 1_000, lanes: 3) { items, _ in
        sizes.withLock { $0.append(items.count) }
        try? await loop.sleep(for: .milliseconds(1))
        return items.map { $0 % 10 == 3 ? .failure(Refused(number: $0)) : .success($0 * 2) }
      }
      let results = await Self.submit(0..<200, to: batcher)
      for (number, result) in results.enumerated() {
        switch result {
        case .success(let value): #expect(value == number * 2)
        case .failure(let error): #expect(error as? Refused == Refused(number: number))
        }
      }
      #expect(results.count { if case .failure = $0 { true } else { false } } == 20)
      #expect(sizes.withLock { $0.allSatisfy { $0 <= 7 } && $0.reduce(0, +) == 200 })
    }
  }

  @Test func `no more batches run at once than there are lanes`() async throws {
    try await onLoop { loop in
      let running = Locked((now: 0, most: 0))
      let batcher = Numbers(loop: loop, batchMax: 1, queueMax: 100, lanes: 2) { items, _ in
        running.withLock {
          $0.now += 1
          $0.most = max($0.most, $0.now)
        }
        try? await loop.sleep(for: .milliseconds(1))
        running.withLock { $0.now -= 1 }
        return items.map { .success($0) }
      }
      _ = await Self.submit(0..<20, to: batcher)
      #expect(running.withLock { $0.most } == 2 && running.withLock { $0.now } == 0)
    }
  }

  @Test func `what is beyond the queue is refused at once, and room is made again`() async throws {
    try await onLoop { loop in
      let batcher = Numbers(loop: loop, batchMax: 2, queueMax: 4) { items, _ in
        try? await loop.sleep(for: .milliseconds(10))
        return items.map { .success($0) }
      }
      let results = await Self.submit(0..<10, to: batcher)
      let refused = results.compactMap { result -> Int? in
        guard case .failure(let error) = result else { return nil }
        return (error as? any OverloadError)?.waiting
      }
      #expect(refused == Array(repeating: 4, count: 6))
      #expect(await Self.submit([1], to: batcher).count { if case .success = $0 { true } else { false } } == 1)
    }
  }

  @Test func `thousands of batches that never suspend need no deep stack`() async throws {
    try await onLoop { loop in
      let batcher = Numbers(loop: loop, batchMax: 1, queueMax: 100_000) { items, _ in items.map { .success($0) } }
      let results = await Self.submit(0..<20_000, to: batcher)
      #expect(results.count == 20_000 && batcher.waiting == 0)
    }
  }

  @Test func `a caller that gives up takes its item back, unless its batch has begun`() async throws {
    try await onLoop { loop in
      let processed = Locked<[Int]>([])
      let gate = LoopSignal(loop: loop)
      let batcher = Numbers(loop: loop, batchMax: 2, queueMax: 100) { items, _ in
        await gate.wait()
        processed.withLock { $0 += items }
        return items.map { .success($0) }
      }
      await batcher.drain()  // Nothing is there.
      let outcomes = Locked<[Int: Bool]>([:])
      let callers = (0..<7).map { number in
        loop.startTask {
          let isDone = (try? await batcher.submit(number)) != nil
          outcomes.withLock { $0[number] = isDone }
        }
      }
      // The first two are in their batch, which waits at the gate.
      while batcher.waiting != 5 { try await loop.sleep(for: .milliseconds(1)) }
      for caller in callers[0..<6] { caller.cancel() }
      while batcher.waiting != 1 { try await loop.sleep(for: .milliseconds(1)) }
      #expect(outcomes.withLock { $0 } == [2: false, 3: false, 4: false, 5: false])
      gate.signal()
      while batcher.waiting != 0 { try await loop.sleep(for: .milliseconds(1)) }
      gate.signal()
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<2 { group.addTask { await batcher.drain() } }
      }
      for caller in callers { await caller.value }
      #expect(processed.withLock { $0 } == [0, 1, 6])
      #expect(outcomes.withLock { $0[0] == true && $0[1] == true && $0[6] == true })
    }
  }

  @Test func `an item whose time is up is not processed, and a batch knows its latest deadline`() async throws {
    try await onLoop { loop in
      let deadlines = Locked<[LoopInstant?]>([])
      let batcher = Numbers(loop: loop, batchMax: 3, queueMax: 100) { items, deadline in
        deadlines.withLock { $0.append(deadline) }
        return items.map { .success($0) }
      }
      let (soon, later) = (loop.now + .seconds(10), loop.now + .seconds(20))
      let calls: [LoopInstant?] = [soon, later, LoopInstant(nanoseconds: 0), soon, nil]
      let tasks = calls.enumerated().map { number, deadline in
        Task(executorPreference: loop.taskExecutor) { try await batcher.submit(number, deadline: deadline) }
      }
      for (number, task) in tasks.enumerated() {
        if number == 2 {
          await #expect(throws: BatchCameTooLate.self) { try await task.value }
        } else {
          let result = try await task.value
          #expect(result == number)
        }
      }
      #expect(deadlines.withLock { $0 } == [later, nil])
    }
  }

  @Test func `a queue that does not move takes nobody else, and says when to come again`() async throws {
    try await onLoop { loop in
      let gate = LoopSignal(loop: loop)
      let batcher = Numbers(loop: loop, batchMax: 10, queueMax: 100, patience: .milliseconds(50)) { items, _ in
        await gate.wait()
        return items.map { .success($0) }
      }
      let first = loop.startTask { _ = try? await batcher.submit(1) }
      try await loop.sleep(for: .milliseconds(20))
      let second = loop.startTask { _ = try? await batcher.submit(2) }
      try await loop.sleep(for: .milliseconds(80))
      let refusal = await #expect(throws: Overloaded.self) { _ = try await batcher.submit(3) }
      #expect(refusal?.waiting == 1 && refusal?.retryAfter == .seconds(1))
      // It moves again.
      gate.signal()
      await first.value
      #expect(batcher.age == .zero)
      gate.signal()
      await second.value
      let third = loop.startTask { _ = try? await batcher.submit(4) }
      gate.signal()
      await third.value
    }
  }
}
