internal import CUV

extension TCPConnection {
  /// Connects to `host` (an address or a name) and `port`. Only on the loop.
  ///
  /// The connection does not read before ``start()``.
  package static func connect(
    loop: EventLoop, host: String, port: Int, timeout: Duration
  ) async throws(IOError) -> TCPConnection {
    let operation = "connect to \(host):\(port)"
    let address = try await SocketAddress.resolve(host: host, port: port, on: loop)
    let attempt = ConnectAttempt(connection: TCPConnection(loop: loop), operation: operation)
    let result: Result<TCPConnection, IOError> = await withTaskCancellationHandler {
      await withUnsafeContinuation { attempt.start(address, timeout: timeout, continuation: $0) }
    } onCancel: {
      loop.execute { attempt.finish(.cancelled(operation)) }
    }
    return try result.get()
  }
}

// Confined to its event loop.
private final class ConnectAttempt: @unchecked Sendable {
  private let connection: TCPConnection
  private let operation: String
  private let request = UnsafeMutablePointer<uv_connect_t>.allocate(capacity: 1)
  private var continuation: UnsafeContinuation<Result<TCPConnection, IOError>, Never>?
  private var timer: LoopTimer?

  init(connection: TCPConnection, operation: String) {
    self.connection = connection
    self.operation = operation
  }

  deinit { request.deallocate() }

  func start(
    _ address: sockaddr_storage, timeout: Duration,
    continuation: UnsafeContinuation<Result<TCPConnection, IOError>, Never>
  ) {
    self.continuation = continuation
    if Task.isCancelled { return finish(.cancelled(operation)) }
    timer = connection.loop.schedule(after: timeout) { self.finish(.timedOut(self.operation)) }
    request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    var address = address
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        uv_tcp_connect(request, connection.handle, generic) { request, status in
          let attempt = Unmanaged<ConnectAttempt>.fromOpaque(request!.pointee.data).takeRetainedValue()
          attempt.finish(status < 0 ? IOError(code: status, operation: attempt.operation) : nil)
        }
      }
    }
    if code < 0 {
      Unmanaged.passUnretained(self).release()
      finish(IOError(code: code, operation: operation))
    }
  }

  /// Ends the attempt, well or with an error; later outcomes are dropped.
  func finish(_ error: IOError?) {
    guard let continuation else { return }
    self.continuation = nil
    timer?.cancel()
    if let error {
      connection.abort()
      continuation.resume(returning: .failure(error))
    } else {
      continuation.resume(returning: .success(connection))
    }
  }
}
