/// What a ``TCPConnection`` tells its owner, on the loop.
package protocol TCPConnectionDelegate: AnyObject {
  /// Bytes arrived, decrypted if need be; they are valid during the call only.
  func received(_ bytes: borrowing RawSpan)
  /// What ``TCPConnection/write(_:)`` had to queue has gone out.
  func writable()
  /// The peer closed, or the connection broke (`error`). Comes once, and not after a `close()` or `abort()` of our own.
  func closed(_ error: IOError?)
  /// A client speaks to a server of TLS without it, and `bytes` are the first that it sent: what to answer, in plaintext
  /// too, before the connection ends.
  func plaintextAnswer(to bytes: borrowing RawSpan) -> [UInt8]
}

extension TCPConnectionDelegate {
  package func plaintextAnswer(to bytes: borrowing RawSpan) -> [UInt8] { [] }
}
