internal import CUV

/// Accepts TCP connections.
// Confined to its event loop; every entry checks it.
package final class TCPListener: @unchecked Sendable {
  private let loop: EventLoop
  private let handle: UnsafeMutablePointer<uv_tcp_t>
  private var onConnection: ((TCPConnection) -> Void)?
  private var isClosed = false
  /// The port that is listened on: the one asked for, or the one the system chose for 0.
  package let port: Int

  /// Listens on a numeric `host` (or `localhost`) and `port` (0 takes a free one) until ``close()``. Only on the loop.
  package init(
    loop: EventLoop, host: String, port: Int, backlog: Int32 = 1024,
    onConnection: @escaping (TCPConnection) -> Void
  ) throws(IOError) {
    loop.preconditionCurrent()
    let operation = "listen on \(host):\(port)"
    guard var address = SocketAddress.numeric(host: host, port: port) else {
      throw IOError(code: UV_EINVAL.rawValue, operation: operation)
    }
    let handle = UnsafeMutablePointer<uv_tcp_t>.allocate(capacity: 1)
    uv_tcp_init(loop.uv, handle)
    handle.pointee.data = nil
    do throws(IOError) {
      self.port = try Self.bind(handle, to: &address, operation)
    } catch {
      Handle.close(handle)
      throw error
    }
    self.loop = loop
    self.handle = handle
    self.onConnection = onConnection
    Handle.retain(self, for: handle)
    let stream = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_stream_t.self)
    let code = uv_listen(stream, backlog) { server, status in
      guard status == 0 else { return }
      Handle.owner(server!.pointee.data, as: TCPListener.self).accept()
    }
    if code < 0 {
      Handle.close(handle)
      throw IOError(code: code, operation: operation)
    }
  }

  /// Accepts no more, and lets go of its owner; connections accepted before live on.
  package func close() {
    loop.preconditionCurrent()
    if isClosed { return }
    isClosed = true
    onConnection = nil
    Handle.close(handle)
  }

  private static func bind(
    _ handle: UnsafeMutablePointer<uv_tcp_t>, to address: inout sockaddr_storage, _ operation: String
  ) throws(IOError) -> Int {
    let result: Result<Int, IOError> = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        var length = Int32(MemoryLayout<sockaddr_storage>.size)
        var code = uv_tcp_bind(handle, generic, 0)
        if code == 0 { code = uv_tcp_getsockname(handle, generic, &length) }
        return code < 0
          ? .failure(IOError(code: code, operation: operation)) : .success(SocketAddress.port(of: generic))
      }
    }
    return try result.get()
  }

  private func accept() {
    let connection = TCPConnection(loop: loop)
    let server = UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_stream_t.self)
    let client = UnsafeMutableRawPointer(connection.handle).assumingMemoryBound(to: uv_stream_t.self)
    if uv_accept(server, client) == 0, let onConnection {
      onConnection(connection)
    } else {
      connection.abort()
    }
  }
}
