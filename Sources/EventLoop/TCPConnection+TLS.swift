package import TLS

/// TLS underneath a connection. A handshake that goes on when its time is over ends the connection, and so does the end of
/// the peer's bytes without its `close_notify`.
extension TCPConnection {
  /// Encrypts the connection by `engine` from its first byte on: before ``start()`` and the first write.
  package func secure(by engine: TLSEngine, handshakeTimeout: Duration = .seconds(10)) {
    loop.preconditionCurrent()
    guard isOpen else { return }
    let timer = loop.schedule(after: handshakeTimeout) { [weak self] in
      self?.tlsFailed(TLSError(.timedOut, "the TLS handshake took longer than \(handshakeTimeout)"))
    }
    let layer = TLSLayer(engine: engine, handshakeTimer: timer)
    tls = layer
    do throws(TLSError) { try engine.start() } catch { return tlsFailed(error) }
    flush(engine)
  }

  /// Sends `bytes` encrypted.
  func writeEncrypted(_ bytes: [UInt8], _ layer: TLSLayer) {
    let engine = layer.engine
    if engine.output.capacity == 0 { engine.output = loop.takeBuffer() }
    do throws(TLSError) { try engine.write(bytes.span.bytes) } catch { return tlsFailed(error) }
    flush(engine)
  }

  /// Hands on what `bytes` say.
  func receivedEncrypted(_ bytes: RawSpan, _ layer: TLSLayer) {
    let engine = layer.engine
    let wasOpen = engine.state == .open
    let hadPending = engine.pendingBytes > 0
    do throws(TLSError) {
      try engine.receive(bytes, into: loop.plaintextBuffer) { plaintext in
        delegate?.received(plaintext)
        return isOpen
      }
    } catch {
      return tlsFailed(error, bytes)
    }
    guard isOpen else { return }
    if wasOpen, isUnreadTooMuch(layer) {
      return tlsFailed(TLSError(.protocolViolation, "the peer sends TLS messages and reads none"))
    }
    if engine.state != .handshaking { layer.endHandshake() }
    flush(engine)
    if engine.state == .ended { return peerEnded(layer) }
    if hadPending, queuedBytes == 0 { delegate?.writable() }
  }

  /// Says that nothing more comes from us.
  func sayGoodbye(_ layer: TLSLayer) {
    layer.endHandshake()
    layer.engine.close()
    flush(layer.engine)
  }

  /// Bounds what a peer makes us queue by asking for new keys again and again, without ever reading.
  private func isUnreadTooMuch(_ layer: TLSLayer) -> Bool {
    layer.unreadBytes = socketQueuedBytes == 0 ? 0 : layer.unreadBytes + layer.engine.output.count
    return layer.unreadBytes > TLSLayer.unreadBytesMax
  }

  private func flush(_ engine: TLSEngine) {
    var output: [UInt8] = []
    swap(&output, &engine.output)
    if !output.isEmpty { send(&output) }
    loop.giveBack(&output)
  }

  /// The peer said that nothing more comes: so do we.
  private func peerEnded(_ layer: TLSLayer) {
    sayGoodbye(layer)
    failed(nil)
  }

  /// Tells the peer by an alert, or in its own words when it speaks no TLS, and the delegate.
  private func tlsFailed(_ error: TLSError, _ bytes: RawSpan? = nil) {
    let delegate = delegate
    if let tls {
      flush(tls.engine)
      if error.code == .notTLS, tls.engine.isServer, let bytes, var answer = delegate?.plaintextAnswer(to: bytes) {
        if !answer.isEmpty { send(&answer) }
      }
    }
    close()
    delegate?.closed(IOError(tls: error))
  }
}
