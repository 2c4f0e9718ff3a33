/// Why TLS cannot be set up, or why a connection by it ended.
package struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of error it is.
  package enum Code: Equatable, Sendable {
    /// A file or a name of the configuration cannot be used.
    case configuration
    /// The peer's first bytes are no TLS.
    case notTLS
    /// The peer's certificate is not one that we trust, or not the one of the server that was meant.
    case certificateRefused
    /// The peer refused us by an alert of this number (RFC 8446 section 6).
    case alert(UInt8)
    /// The peer broke the protocol, or bytes were changed on the way.
    case protocolViolation
    /// The bytes ended without the peer's `close_notify`: what came last may be cut off (RFC 8446 section 6.1).
    case truncated
    /// The handshake took too long.
    case timedOut
  }

  /// What kind of error it is.
  package let code: Code
  /// What happened, and what to do about it as far as that can be told.
  package let message: String

  /// An error of this kind.
  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The message.
  package var description: String { message }
}

extension TLSError.Code {
  /// The alert of a TLS 1.3 server that wants a client certificate and got none.
  package static let certificateRequired = Self.alert(116)
}
