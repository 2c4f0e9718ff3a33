internal import CUV

/// Tells when a foreign library's socket can be read or written.
// Confined to its event loop; every entry checks it.
package final class DescriptorWatcher: @unchecked Sendable {
  /// What to wait for, and what happened.
  package struct Interest: OptionSet, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
    /// Bytes can be read, or the peer is gone.
    package static let readable = Interest(rawValue: Int32(UV_READABLE.rawValue))
    /// Bytes can be written.
    package static let writable = Interest(rawValue: Int32(UV_WRITABLE.rawValue))
  }

  private let loop: EventLoop
  private let handle: UnsafeMutablePointer<uv_poll_t>
  private var handler: ((Interest) -> Void)?
  private var isClosed = false

  /// A watcher of an open socket that stays open until ``close()``. Only on the loop.
  package init(loop: EventLoop, descriptor: Int32) throws(IOError) {
    loop.preconditionCurrent()
    self.loop = loop
    handle = .allocate(capacity: 1)
    let code = uv_poll_init(loop.uv, handle, descriptor)
    if code < 0 {
      handle.deallocate()
      throw IOError(code: code, operation: "watch a socket")
    }
    Handle.retain(self, for: handle)
  }

  /// Calls `handler` whenever `interest` is met, until told otherwise; replaces what was watched before.
  ///
  /// An error of the socket counts as both readable and writable: the next read or write finds out.
  package func watch(_ interest: Interest, _ handler: @escaping (Interest) -> Void) {
    loop.preconditionCurrent()
    precondition(!isClosed, "watching a closed descriptor")
    self.handler = handler
    uv_poll_start(handle, interest.rawValue) { polled, status, events in
      let watcher = Handle.owner(polled!.pointee.data, as: DescriptorWatcher.self)
      watcher.handler?(status < 0 ? [.readable, .writable] : Interest(rawValue: events))
    }
  }

  /// Watches nothing until the next ``watch(_:_:)``.
  package func stop() {
    loop.preconditionCurrent()
    if isClosed { return }
    handler = nil
    uv_poll_stop(handle)
  }

  /// Ends the watching; the socket itself is its owner's to close, after this.
  package func close() {
    loop.preconditionCurrent()
    if isClosed { return }
    isClosed = true
    handler = nil
    uv_poll_stop(handle)
    Handle.close(handle)
  }
}
