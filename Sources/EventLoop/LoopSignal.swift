/// Wakes one task that waits for something to do.
///
/// A signal that nobody waits for is kept, so that it cannot be missed; several are one.
// Confined to its event loop; every entry checks it.
package final class LoopSignal: @unchecked Sendable {
  private let loop: EventLoop
  private var isSet = false
  private var waiter: UnsafeContinuation<Void, Never>?
  private var timer: LoopTimer?

  /// A signal that is not set.
  package init(loop: EventLoop) { self.loop = loop }

  /// Wakes the task that waits, or the next that will.
  package func signal() {
    loop.preconditionCurrent()
    isSet = true
    wake()
  }

  /// Returns when the signal is set, and clears it; also after `timeout`, or when the task is cancelled.
  package func wait(atMost timeout: Duration? = nil) async {
    precondition(waiter == nil, "two tasks wait for one signal")
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if isSet { return continuation.resume() }
        waiter = continuation
        // By way of the loop: a cancelled task that waits again and again must not keep everything else from running.
        if Task.isCancelled { return loop.execute { self.wake() } }
        if let timeout { timer = loop.schedule(after: timeout) { self.wake() } }
      }
    } onCancel: {
      loop.execute { self.wake() }
    }
    isSet = false
  }

  private func wake() {
    timer?.cancel()
    timer = nil
    waiter?.resume()
    waiter = nil
  }
}
