internal import TLS

/// The TLS of one connection.
final class TLSLayer {
  /// What OpenSSL may have to say unasked (a handshake, key updates) while the peer reads nothing, in bytes.
  static let unreadBytesMax = 256 << 10

  let engine: TLSEngine
  /// What OpenSSL said unasked since the socket last took everything, in bytes.
  var unreadBytes = 0
  /// Ends a handshake that takes too long; nil when it is over.
  private(set) var handshakeTimer: LoopTimer?

  /// TLS by `engine`, whose handshake ends when `timer` fires.
  init(engine: TLSEngine, handshakeTimer: LoopTimer) {
    self.engine = engine
    self.handshakeTimer = handshakeTimer
  }

  /// Why the end of the peer's bytes is no good end; nil when it is one.
  var truncation: IOError? {
    do throws(TLSError) { try engine.inputEnded() } catch { return IOError(tls: error) }
    return nil
  }

  /// The handshake is over, or does not matter any more.
  func endHandshake() {
    handshakeTimer?.cancel()
    handshakeTimer = nil
  }
}
