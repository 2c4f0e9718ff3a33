internal import COpenSSL

/// One connection's TLS: ciphertext in, plaintext out, and the reverse. No I/O.
///
/// What is to be sent gathers in ``output``; its owner takes it after each call. A connection that waits for bytes holds
/// no buffer but what OpenSSL keeps of a record that has come in part.
package final class TLSEngine {
  /// Where a connection by TLS is.
  package enum State: Equatable, Sendable {
    /// Next: `open`, or `failed`.
    case handshaking
    /// Next: `ended`, or `failed`.
    case open
    /// The peer has said that nothing more comes.
    case ended
    /// An error ended it; what still comes is ignored.
    case failed
  }

  /// Where the connection is.
  package private(set) var state = State.handshaking
  /// Ciphertext to be sent, in order.
  package var output: [UInt8] = []
  private let context: TLSContext
  private let ssl: OpaquePointer
  /// What was written before the handshake was over.
  private var pending: [UInt8] = []
  /// What is left of the bytes that ``receive(_:into:_:)`` was given.
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  private var bytesSeen = 0
  private var isClosed = false

  init(context: TLSContext, serverName: String?) throws(TLSError) {
    guard let ssl = SSL_new(context.pointer), let bio = BIO_new(EngineBIO.method) else {
      throw TLSError(.configuration, "OpenSSL has no memory for a connection")
    }
    self.context = context
    self.ssl = ssl
    BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
    SSL_set_bio(ssl, bio, bio)
    if context.configuration.role == .client {
      SSL_set_connect_state(ssl)
      if let serverName { try expect(serverName) }
    } else {
      SSL_set_accept_state(ssl)
    }
  }

  deinit { SSL_free(ssl) }

  /// Whether this is the server's side.
  package var isServer: Bool { context.configuration.role == .server }

  /// Plaintext that waits for the handshake, in bytes.
  package var pendingBytes: Int { pending.count }

  /// The protocol that both sides chose (ALPN); nil before the handshake is over, and when they chose none.
  package var applicationProtocol: String? {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &count)
    return name.map { String(decoding: UnsafeBufferPointer(start: $0, count: Int(count)), as: UTF8.self) }
  }

  /// The subject of the peer's certificate, such as `CN=orders,O=Gozon` (RFC 4514); nil when it showed none.
  package var peerSubject: String? {
    guard let certificate = SSL_get0_peer_certificate(ssl), let text = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(text) }
    copenssl_print_name(text, X509_get_subject_name(certificate))
    return String(unsafeUninitializedCapacity: Self.subjectBytesMax) { buffer in
      max(0, Int(BIO_read(text, buffer.baseAddress, Int32(buffer.count))))
    }
  }

  private static let subjectBytesMax = 1_024

  // MARK: - Bytes

  /// Begins: a client has something to say at once.
  package func start() throws(TLSError) {
    if !isServer { try shakeHands() }
  }

  /// Takes bytes of the peer, and hands on what they say.
  ///
  /// - Parameters:
  ///   - buffer: room for plaintext, used during the call.
  ///   - deliver: is given plaintext, valid while it runs, and returns whether to go on; if not, the rest is dropped.
  /// - Throws: what ends the connection; an alert for the peer may be in ``output``.
  package func receive(
    _ ciphertext: borrowing RawSpan, into buffer: UnsafeMutableRawBufferPointer, _ deliver: (RawSpan) -> Bool
  ) throws(TLSError) {
    guard state == .handshaking || state == .open else { return }
    try ciphertext.withUnsafeBytes { bytes throws(TLSError) in
      try checkFirstBytes(bytes)
      input = bytes
      defer { input = UnsafeRawBufferPointer(start: nil, count: 0) }
      if state == .handshaking { try shakeHands() }
      if state == .open { try read(into: buffer, deliver) }
    }
  }

  /// Encrypts `plaintext`, in records as large as may be; while the handshake runs it waits for its end.
  package func write(_ plaintext: borrowing RawSpan) throws(TLSError) {
    guard !isClosed, state != .failed, plaintext.byteCount > 0 else { return }
    try plaintext.withUnsafeBytes { bytes throws(TLSError) in
      if state == .handshaking { pending.append(contentsOf: bytes) } else { try encrypt(bytes) }
    }
  }

  /// Says that nothing more comes. What waited for the handshake is dropped.
  package func close() {
    if isClosed { return }
    isClosed = true
    pending = []
    guard state == .open || state == .ended else { return }
    SSL_shutdown(ssl)
    ERR_clear_error()
  }

  /// The peer's bytes are over: an error, unless it said so before.
  package func inputEnded() throws(TLSError) {
    switch state {
    case .ended, .failed: return
    case .handshaking:
      state = .failed
      throw TLSError(.truncated, "the peer closed the connection during the TLS handshake")
    case .open:
      state = .failed
      throw TLSError(.truncated, "the connection ended without the peer's close_notify: the last bytes may be lost")
    }
  }

  // MARK: - OpenSSL

  /// Ends early what is no TLS: every first record has type 22, or is an alert, and version 3 (RFC 8446 section 5.1).
  private func checkFirstBytes(_ bytes: UnsafeRawBufferPointer) throws(TLSError) {
    for byte in bytes.prefix(max(0, 2 - bytesSeen)) {
      let isRight = bytesSeen == 0 ? byte == 22 || (byte == 21 && !isServer) : byte == 3
      guard isRight else {
        state = .failed
        throw TLSError(.notTLS, "the peer does not speak TLS")
      }
      bytesSeen += 1
    }
  }

  private func shakeHands() throws(TLSError) {
    ERR_clear_error()
    let result = SSL_do_handshake(ssl)
    guard result == 1 else {
      if SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return }
      throw failed()
    }
    state = .open
    let waiting = pending
    pending = []
    if !waiting.isEmpty { try write(waiting.span.bytes) }
  }

  private func read(
    into buffer: UnsafeMutableRawBufferPointer, _ deliver: (RawSpan) -> Bool
  ) throws(TLSError) {
    var filled = 0
    while true {
      var count = 0
      ERR_clear_error()
      let result = SSL_read_ex(ssl, buffer.baseAddress! + filled, buffer.count - filled, &count)
      guard result == 1 else {
        let outcome = end(SSL_get_error(ssl, result))
        if filled > 0 { _ = deliver(UnsafeRawBufferPointer(rebasing: buffer[..<filled]).bytes) }
        return try outcome.get()
      }
      filled += count
      guard filled == buffer.count else { continue }
      filled = 0
      guard deliver(UnsafeRawBufferPointer(buffer).bytes) else { return }
    }
  }

  /// What it means that nothing could be read.
  private func end(_ reason: Int32) -> Result<Void, TLSError> {
    switch reason {
    case SSL_ERROR_WANT_READ: return .success(())
    case SSL_ERROR_ZERO_RETURN:
      state = .ended
      return .success(())
    default: return .failure(failed())
    }
  }

  private func encrypt(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) {
    let recordCount = plaintext.count / Self.recordBytesMax + 1
    output.reserveCapacity(output.count + plaintext.count + recordCount * Self.recordOverheadMax)
    var count = 0
    ERR_clear_error()
    guard SSL_write_ex(ssl, plaintext.baseAddress, plaintext.count, &count) == 1 else { throw failed() }
  }

  /// The longest plaintext of a record (RFC 8446 section 5.1).
  private static let recordBytesMax = 1 << 14
  /// What a record adds to its plaintext, at most, with the ciphers that TLS 1.2 and 1.3 have by policy.
  private static let recordOverheadMax = 96

  private func failed() -> TLSError {
    state = .failed
    let errors = OpenSSLErrors.take()
    let verdict = SSL_get_verify_result(ssl)
    if verdict != X509_V_OK {
      let text = X509_verify_cert_error_string(verdict).map { String(cString: $0) } ?? "not trusted"
      return TLSError(.certificateRefused, "the peer's certificate is refused: \(text)")
    }
    if let alert = errors.alert { return TLSError(.alert(alert), "the peer refused: \(errors.text)") }
    return TLSError(.protocolViolation, "TLS failed: \(errors.text)")
  }

  private func expect(_ serverName: String) throws(TLSError) {
    defer { ERR_clear_error() }
    // OpenSSL would read up to the first zero byte, and check no name where it is empty.
    let isName = !serverName.isEmpty && !serverName.utf8.contains(0)
    if isName, X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), serverName) == 1 { return }
    SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    guard isName, SSL_set1_host(ssl, serverName) == 1, copenssl_set_server_name(ssl, serverName) == 1 else {
      throw TLSError(.configuration, "\"\(serverName)\" is no name that a server's certificate can have")
    }
  }

  // MARK: - The ends of the BIO

  /// Up to `capacity` bytes of what came; 0 when there is nothing left.
  fileprivate func takeInput(_ buffer: UnsafeMutableRawPointer, _ capacity: Int) -> Int {
    let count = min(capacity, input.count)
    guard count > 0, let start = input.baseAddress else { return 0 }
    buffer.copyMemory(from: start, byteCount: count)
    input = UnsafeRawBufferPointer(rebasing: input[count...])
    return count
  }

  fileprivate func appendOutput(_ bytes: UnsafeRawBufferPointer) { output.append(contentsOf: bytes) }
}

/// Joins OpenSSL to an engine without a buffer in between: OpenSSL reads from what arrived, and writes to what goes out.
private enum EngineBIO {
  // Set up once, and never changed after.
  nonisolated(unsafe) static let method: OpaquePointer = {
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gozon") else {
      fatalError("OpenSSL has no memory")
    }
    BIO_meth_set_read(method) { bio, buffer, capacity in
      copenssl_clear_retry(bio)
      let count = engine(bio).takeInput(buffer!, Int(capacity))
      if count > 0 { return Int32(count) }
      copenssl_set_retry_read(bio)
      return -1
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      copenssl_clear_retry(bio)
      engine(bio).appendOutput(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    BIO_meth_set_create(method) { bio in
      BIO_set_init(bio, 1)
      return 1
    }
    return method
  }()

  private static func engine(_ bio: OpaquePointer?) -> TLSEngine {
    Unmanaged<TLSEngine>.fromOpaque(BIO_get_data(bio)).takeUnretainedValue()
  }
}
