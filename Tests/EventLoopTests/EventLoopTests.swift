import EventLoop
import Foundation
import TestSupport
import Testing

@Suite struct EventLoopTests {
  @Test func `a task stays on the loop across suspensions`() async throws {
    let places = try await onLoop { loop in
      var places = [loop.isCurrent]
      try await loop.sleep(for: .milliseconds(1))
      places.append(loop.isCurrent)
      await withTaskGroup(of: Bool.self) { group in
        group.addTask { loop.isCurrent }
        for await place in group { places.append(place) }
      }
      return places
    }
    #expect(places == [true, true, true])
  }

  @Test func `work from other threads arrives on the loop, all of it`() async throws {
    let count = try await onLoop { loop in
      let arrived = Locked(0)
      for _ in 0..<4 {
        Thread.detachNewThread {
          for _ in 0..<1_000 { loop.execute { arrived.withLock { $0 += loop.isCurrent ? 1 : 0 } } }
        }
      }
      for _ in 0..<1_000 where arrived.withLock({ $0 }) < 4_000 { try await loop.sleep(for: .milliseconds(2)) }
      return arrived.withLock { $0 }
    }
    #expect(count == 4_000)
  }

  @Test func `what a turn registers for its end runs once, after the turn's jobs`() async throws {
    let order = try await onLoop { loop in
      let order = Locked<[String]>([])
      loop.atEndOfTurn { order.withLock { $0.append("end") } }
      loop.execute { order.withLock { $0.append("job") } }
      try await loop.sleep(for: .milliseconds(1))
      return order.withLock { $0 }
    }
    #expect(order == ["job", "end"])
  }

  @Test func `a sleep ends early when its task is cancelled`() async throws {
    try await onLoop { loop in
      let start = loop.now
      await withTaskGroup(of: Bool.self) { group in
        group.addTask {
          do { try await loop.sleep(for: .seconds(30)) } catch is CancellationError { return true } catch {}
          return false
        }
        group.cancelAll()
        for await isCancelled in group { #expect(isCancelled) }
      }
      try await loop.sleep(for: .milliseconds(1))
      #expect(loop.now - start < .seconds(5))
    }
  }

  @Test(.timeLimit(.minutes(1))) func `a cancelled task that waits in a loop lets the rest run`() async throws {
    try await onLoop { loop in
      let signal = LoopSignal(loop: loop)
      await withTaskGroup(of: Void.self) { group in
        group.cancelAll()
        let hasRun = Locked(false)
        group.addTask { while !hasRun.withLock({ $0 }) { try? await loop.sleep(for: .seconds(1)) } }
        group.addTask { while !hasRun.withLock({ $0 }) { await signal.wait() } }
        group.addTask { loop.execute { hasRun.withLock { $0 = true } } }
      }
    }
  }

  @Test func `a cancelled timer does not fire`() async throws {
    let fired = try await onLoop { loop in
      let fired = Locked<[Int]>([])
      let timer = loop.schedule(after: .milliseconds(1)) { fired.withLock { $0.append(1) } }
      _ = loop.schedule(after: .milliseconds(2)) { fired.withLock { $0.append(2) } }
      timer.cancel()
      try await loop.sleep(for: .milliseconds(20))
      return fired.withLock { $0 }
    }
    #expect(fired == [2])
  }

  @Test func `an error of the body leaves run`() async throws {
    struct Failure: Error {}
    await #expect(throws: Failure.self) { try await onLoop { _ in throw Failure() } }
  }
}
