internal import CUV

/// Runs a closure on the loop each time the process gets a signal.
// Confined to its event loop; every entry checks it.
package final class SignalWatcher: @unchecked Sendable {
  private let loop: EventLoop
  private let handle: UnsafeMutablePointer<uv_signal_t>
  private let handler: () -> Void
  private var isClosed = false

  /// Watches for `signal` (such as `SIGTERM`) until ``close()``. Only on the loop.
  package init(loop: EventLoop, signal: Int32, handler: @escaping () -> Void) throws(IOError) {
    loop.preconditionCurrent()
    self.loop = loop
    self.handler = handler
    handle = .allocate(capacity: 1)
    try IOError.check(uv_signal_init(loop.uv, handle), "watch signal \(signal)")
    Handle.retain(self, for: handle)
    let code = uv_signal_start(
      handle, { watched, _ in Handle.owner(watched!.pointee.data, as: SignalWatcher.self).handler() }, signal)
    try IOError.check(code, "watch signal \(signal)")
  }

  /// Stops watching.
  package func close() {
    loop.preconditionCurrent()
    if isClosed { return }
    isClosed = true
    Handle.close(handle)
  }
}
