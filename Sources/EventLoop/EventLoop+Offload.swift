internal import CUV

extension EventLoop {
  /// Runs `work`, which may block or take long, on a thread of libuv's pool (libuv documentation, "Thread pool work
  /// scheduling"), and returns what it did. There are few such threads, and they resolve names as well: `work` must end by
  /// itself. Only on the loop.
  package func offload<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
    preconditionCurrent()
    return await withUnsafeContinuation { (continuation: UnsafeContinuation<Result, Never>) in
      let result = Locked<Result?>(nil)
      OffloadedWork {
        let done = work()
        result.withLock { $0 = done }
      } finish: {
        continuation.resume(returning: result.withLock { $0! })
      }.start(on: uv)
    }
  }
}

/// Work of the thread pool, and what is done on the loop when it has ended.
private final class OffloadedWork: Sendable {
  private let work: @Sendable () -> Void
  private let finish: @Sendable () -> Void

  init(_ work: @escaping @Sendable () -> Void, finish: @escaping @Sendable () -> Void) {
    self.work = work
    self.finish = finish
  }

  func start(on loop: UnsafeMutablePointer<uv_loop_t>) {
    let request = UnsafeMutablePointer<uv_work_t>.allocate(capacity: 1)
    request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    let code = uv_queue_work(
      loop, request, { Unmanaged<OffloadedWork>.fromOpaque($0!.pointee.data).takeUnretainedValue().work() },
      { request, _ in
        let work = Unmanaged<OffloadedWork>.fromOpaque(request!.pointee.data).takeRetainedValue()
        request!.deallocate()
        work.finish()
      })
    precondition(code == 0, "libuv takes any work that has a function")
  }
}
