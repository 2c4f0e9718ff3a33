internal import CUV

/// A closure that runs once on the loop after some time, unless it is cancelled first.
// Confined to its event loop; every entry checks it.
package final class LoopTimer: @unchecked Sendable {
  private let loop: EventLoop
  private let timer: UnsafeMutablePointer<uv_timer_t>
  private var work: (() -> Void)?

  fileprivate init(loop: EventLoop, after delay: Duration, work: @escaping () -> Void) {
    self.loop = loop
    self.work = work
    timer = .allocate(capacity: 1)
    uv_timer_init(loop.uv, timer)
    Handle.retain(self, for: timer)
    uv_update_time(loop.uv)
    uv_timer_start(timer, { Handle.owner($0!.pointee.data, as: LoopTimer.self).fire() }, delay.millisecondsRoundedUp, 0)
  }

  /// Forgets the closure; does nothing when it ran already.
  package func cancel() {
    loop.preconditionCurrent()
    guard work != nil else { return }
    work = nil
    Handle.close(timer)
  }

  private func fire() {
    let work = work
    self.work = nil
    Handle.close(timer)
    work?()
  }
}

extension EventLoop {
  /// Runs `work` on the loop after `delay`, in steps of a millisecond. Only on the loop.
  package func schedule(after delay: Duration, _ work: @escaping () -> Void) -> LoopTimer {
    preconditionCurrent()
    return LoopTimer(loop: self, after: delay, work: work)
  }

  /// Suspends for `duration`.
  ///
  /// - Throws: `CancellationError` as soon as the task is cancelled.
  package func sleep(for duration: Duration) async throws {
    let sleeper = Sleeper(loop: self)
    try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { sleeper.start($0, for: duration) }
    } onCancel: {
      execute { sleeper.cancel() }
    }
  }
}

// Confined to its event loop: `start` and `cancel` run there.
private final class Sleeper: @unchecked Sendable {
  private let loop: EventLoop
  private var continuation: UnsafeContinuation<Void, any Error>?
  private var timer: LoopTimer?
  private var isCancelled = false

  init(loop: EventLoop) { self.loop = loop }

  func start(_ continuation: UnsafeContinuation<Void, any Error>, for duration: Duration) {
    self.continuation = continuation
    // By way of the loop: a cancelled task that sleeps again and again must not keep everything else from running.
    if isCancelled || Task.isCancelled { return loop.execute { self.cancel() } }
    timer = loop.schedule(after: duration) { self.finish(.success(())) }
  }

  func cancel() {
    isCancelled = true
    timer?.cancel()
    finish(.failure(CancellationError()))
  }

  private func finish(_ result: Result<Void, any Error>) {
    let continuation = continuation
    self.continuation = nil
    timer = nil
    continuation?.resume(with: result)
  }
}
