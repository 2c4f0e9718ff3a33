internal import CUV
internal import Glibc
internal import TLS

/// A TCP connection without buffers of its own: reads hand over the loop's buffer, writes go straight to the socket, and
/// only what the socket does not take is kept. With TLS underneath (``secure(by:handshakeTimeout:)``) its owner sees no
/// difference.
// Confined to its event loop; every entry checks it.
package final class TCPConnection: @unchecked Sendable {
  /// How long a close waits for the last bytes to go out, and then for the peer to close.
  private static let closeTimeout: Duration = .seconds(2)

  private enum State {
    case open
    /// Writes are flushed, then the peer's end is awaited, what it still sends being dropped.
    case closing
    case closed
  }

  /// The loop that runs this connection.
  package let loop: EventLoop
  /// Who is told of bytes and of the end; let go when the connection ends.
  package var delegate: (any TCPConnectionDelegate)?
  let handle: UnsafeMutablePointer<uv_tcp_t>
  /// What encrypts the connection; nil when nothing does.
  var tls: TLSLayer?
  /// Bytes that the socket has not taken.
  private(set) var socketQueuedBytes = 0
  private var state = State.open
  private var isReading = false
  private var closeTimer: LoopTimer?

  /// A connection that is not connected yet.
  init(loop: EventLoop) {
    loop.preconditionCurrent()
    self.loop = loop
    handle = .allocate(capacity: 1)
    uv_tcp_init(loop.uv, handle)
    uv_tcp_nodelay(handle, 1)
    Handle.retain(self, for: handle)
  }

  private var stream: UnsafeMutablePointer<uv_stream_t> {
    UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_stream_t.self)
  }

  /// Bytes accepted by ``write(_:)`` that the socket has not taken.
  package var queuedBytes: Int { socketQueuedBytes + (tls?.engine.pendingBytes ?? 0) }

  /// The protocol that both sides of TLS chose (ALPN); nil before that, when they chose none, and without TLS.
  package var applicationProtocol: String? { tls?.engine.applicationProtocol }

  /// Whether bytes can still be written.
  package var isOpen: Bool { if case .open = state { true } else { false } }

  /// The peer's address, such as `127.0.0.1:53122`; empty when it is gone.
  package var peer: String {
    var address = sockaddr_storage()
    var length = Int32(MemoryLayout<sockaddr_storage>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        guard state != .closed, uv_tcp_getpeername(handle, generic, &length) == 0 else { return "" }
        return SocketAddress.text(of: generic)
      }
    }
  }

  /// Begins to read: the delegate gets bytes from now on.
  package func start() { resumeReading() }

  /// Stops reading, so that the peer is slowed down by TCP's own flow control.
  package func pauseReading() {
    loop.preconditionCurrent()
    guard isReading else { return }
    isReading = false
    uv_read_stop(stream)
  }

  /// Reads again after ``pauseReading()``.
  package func resumeReading() {
    loop.preconditionCurrent()
    guard state != .closed, !isReading else { return }
    isReading = true
    uv_read_start(
      stream,
      { handle, _, buffer in
        let loop = Handle.owner(handle!.pointee.data, as: TCPConnection.self).loop
        buffer!.pointee = uv_buf_init(
          loop.readBuffer.baseAddress!.assumingMemoryBound(to: CChar.self), UInt32(loop.readBuffer.count))
      },
      { stream, count, buffer in
        let connection = Handle.owner(stream!.pointee.data, as: TCPConnection.self)
        connection.readCompleted(count)
      })
  }

  /// Sends all of `bytes` and empties it, keeping its capacity.
  ///
  /// Never waits: what the socket does not take at once is queued (``queuedBytes``), and `writable()` tells when it is
  /// out. The caller stops producing when too much is queued. Does nothing on a closed connection.
  package func write(_ bytes: inout [UInt8]) {
    loop.preconditionCurrent()
    defer { bytes.removeAll(keepingCapacity: true) }
    guard isOpen, !bytes.isEmpty else { return }
    if let tls { return writeEncrypted(bytes, tls) }
    send(&bytes)
  }

  /// Closes after what is queued has gone out, within a bound. The delegate hears nothing more.
  package func close() {
    loop.preconditionCurrent()
    guard isOpen else { return }
    if let tls { sayGoodbye(tls) }
    state = .closing
    delegate = nil
    closeTimer = loop.schedule(after: Self.closeTimeout) { self.abort() }
    if socketQueuedBytes == 0 { shutDownWriting() }
  }

  /// Closes at once; what is queued is lost. The delegate hears nothing more.
  package func abort() {
    loop.preconditionCurrent()
    if state == .closed { return }
    state = .closed
    delegate = nil
    tls?.endHandshake()
    closeTimer?.cancel()
    closeTimer = nil
    Handle.close(handle)
  }

  /// Closes at once, and tells the peer by a reset that what it got may not be all. The delegate hears nothing more.
  package func reset() {
    loop.preconditionCurrent()
    if state == .closed { return }
    var descriptor = uv_os_fd_t()
    if uv_fileno(UnsafeMutableRawPointer(handle).assumingMemoryBound(to: uv_handle_t.self), &descriptor) == 0 {
      var choice = linger(l_onoff: 1, l_linger: 0)
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &choice, socklen_t(MemoryLayout<linger>.size))
    }
    abort()
  }

  /// Sends `bytes` as they are: the socket takes them, or they are queued.
  func send(_ bytes: inout [UInt8]) {
    bytes.withUnsafeMutableBytes { raw in
      let written = socketQueuedBytes == 0 ? tryWrite(raw) : 0
      if written < raw.count { queue(UnsafeRawBufferPointer(rebasing: raw[written...])) }
    }
  }

  /// The connection has ended by itself: the delegate is told.
  func failed(_ error: IOError?) {
    let delegate = delegate
    abort()
    delegate?.closed(error)
  }

  private func tryWrite(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    var buffer = uv_buf_init(bytes.baseAddress!.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
    let written = uv_try_write(stream, &buffer, 1)
    return written > 0 ? Int(written) : 0
  }

  private func queue(_ bytes: UnsafeRawBufferPointer) {
    let write = QueuedWrite(bytes, of: self)
    socketQueuedBytes += bytes.count
    let code = write.start(on: stream) { connection, count, status in
      connection.writeCompleted(count, status)
    }
    if code < 0 { writeCompleted(bytes.count, code) }
  }

  private func writeCompleted(_ count: Int, _ status: Int32) {
    socketQueuedBytes -= count
    if status < 0 { return failed(IOError(code: status, operation: "write")) }
    guard socketQueuedBytes == 0 else { return }
    switch state {
    case .open: if queuedBytes == 0 { delegate?.writable() }
    case .closing: shutDownWriting()
    case .closed: break
    }
  }

  private func readCompleted(_ count: Int) {
    if count > 0 {
      guard isOpen else { return }
      let bytes = UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count]).bytes
      if let tls { receivedEncrypted(bytes, tls) } else { delegate?.received(bytes) }
    } else if count < 0 {
      isReading = false
      uv_read_stop(stream)
      let isEnd = count == Int(UV_EOF.rawValue)
      failed(isEnd ? tls?.truncation : IOError(code: Int32(count), operation: "read"))
    }
  }

  /// Ends our side, then drops what the peer still sends until it closes too: closing with unread bytes would reset the
  /// connection and could destroy the last bytes that we sent (RFC 9112 section 9.6).
  private func shutDownWriting() {
    let request = UnsafeMutablePointer<uv_shutdown_t>.allocate(capacity: 1)
    let code = uv_shutdown(request, stream) { request, _ in request!.deallocate() }
    if code < 0 {
      request.deallocate()
      return abort()
    }
    resumeReading()
  }
}

/// Bytes on their way out, and the request that carries them.
private final class QueuedWrite {
  private let request = UnsafeMutablePointer<uv_write_t>.allocate(capacity: 1)
  private let bytes: UnsafeMutableRawBufferPointer
  private let connection: TCPConnection
  private var completion: ((TCPConnection, Int, Int32) -> Void)?

  init(_ bytes: UnsafeRawBufferPointer, of connection: TCPConnection) {
    self.bytes = .allocate(byteCount: bytes.count, alignment: 1)
    self.bytes.copyMemory(from: bytes)
    self.connection = connection
  }

  deinit {
    bytes.deallocate()
    request.deallocate()
  }

  func start(
    on stream: UnsafeMutablePointer<uv_stream_t>, completion: @escaping (TCPConnection, Int, Int32) -> Void
  ) -> Int32 {
    self.completion = completion
    request.pointee.data = Unmanaged.passRetained(self).toOpaque()
    var buffer = uv_buf_init(bytes.baseAddress!.assumingMemoryBound(to: CChar.self), UInt32(bytes.count))
    let code = uv_write(request, stream, &buffer, 1) { request, status in
      let write = Unmanaged<QueuedWrite>.fromOpaque(request!.pointee.data).takeRetainedValue()
      write.completion?(write.connection, write.bytes.count, status)
    }
    if code < 0 { Unmanaged.passUnretained(self).release() }
    return code
  }
}
