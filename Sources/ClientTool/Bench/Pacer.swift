internal import EventLoop
internal import Glibc
internal import Synchronization

/// Hands the calls of an open load to callers as they become due.
// Confined to its event loop, but for the flag that ends the clock's thread.
final class Pacer: @unchecked Sendable {
  /// The shortest time between two ticks of the clock, in nanoseconds; calls that are due together begin together.
  private static let tickMin: UInt64 = 100_000

  private let loop: EventLoop
  private var schedule: OpenSchedule
  private var idle: [UnsafeContinuation<UInt64?, Never>] = []
  private let isOver = Atomic(false)

  /// A pacer of `schedule`, whose clock runs at once.
  init(loop: EventLoop, schedule: OpenSchedule) {
    self.loop = loop
    self.schedule = schedule
    let interval = max(Self.tickMin, 1_000_000_000 / UInt64(schedule.callsPerSecond))
    let start = schedule.start
    // The loop's own timers go by milliseconds, which would show in the latencies.
    let isClockRunning = Detached.thread {
      var next = start
      while !self.isOver.load(ordering: .relaxed) {
        loop.execute { self.tick() }
        next += interval
        let now = LoopInstant.current.nanoseconds
        if now < next { usleep(UInt32(clamping: (next - now) / 1_000)) }
      }
    }
    precondition(isClockRunning, "no thread can be made for the clock")
  }

  /// When the next call was due, once it is; nil when the load is over.
  func next() async -> UInt64? {
    let now = LoopInstant.current.nanoseconds
    if isOver.load(ordering: .relaxed) || schedule.isOver(now: now) { return nil }
    if let due = schedule.take(now: now) { return due }
    return await withUnsafeContinuation { idle.append($0) }
  }

  /// Ends the clock and hands out no more calls; returns how many were due at `time` or later and never begun. Only what
  /// it returns the first time counts.
  func close(from time: UInt64) -> Int {
    if isOver.exchange(true, ordering: .relaxed) { return 0 }
    dismissIdle()
    return schedule.close(now: LoopInstant.current.nanoseconds, from: time)
  }

  private func tick() {
    let now = LoopInstant.current.nanoseconds
    while !idle.isEmpty, let due = schedule.take(now: now) { idle.removeLast().resume(returning: due) }
    guard schedule.isOver(now: now) else { return }
    dismissIdle()
  }

  private func dismissIdle() {
    for caller in idle { caller.resume(returning: nil) }
    idle = []
  }
}
