/// Why bytes are no frame. After one of these nothing that follows can be trusted, so the connection ends.
package enum FrameError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The header's checksum is wrong; `first` are its first four bytes, which often tell who is calling.
  case notAFrame(first: UInt32)
  /// The port speaks TLS, and what came is plaintext; `first` are its first four bytes.
  case notEncrypted(first: UInt32)
  /// The payload's checksum is wrong.
  case damagedPayload
  /// The payload is longer than the receiver announced to accept.
  case tooLong(bytes: UInt32, limit: Int)
  /// The kind is not one that this version knows.
  case unknownKind(UInt8)
  /// A flag is set that this version does not know, or not on this kind.
  case unknownFlags(UInt8)
  /// A frame of this kind has no payload, and this one has.
  case unexpectedPayload(FrameKind)

  /// What is wrong, and what would be right, in a sentence.
  package var description: String {
    switch self {
    case .notAFrame(let first):
      if Self.isHTTP(first) {
        "this is the RPC port and speaks frames, not HTTP; HTTP is the gateway's, on its own port"
      } else if first & 0xFF_FFFF == 0x01_0316 {
        "this port speaks plaintext frames, and the first bytes are a TLS greeting"
      } else {
        "the bytes are no frame: the header's checksum is wrong"
      }
    case .notEncrypted(let first):
      if Self.isHTTP(first) {
        "this is the RPC port and speaks frames by TLS, not HTTP; HTTP is the gateway's, on its own port"
      } else {
        "this port speaks TLS: set --rpc-tls-ca (GOZON_RPC_TLS_CA) to the authority of the server's certificate"
      }
    case .damagedPayload: "the frame's payload was damaged on the way: its checksum is wrong"
    case .tooLong(let bytes, let limit): "the frame has \(bytes) bytes of payload, and at most \(limit) are accepted"
    case .unknownKind(let kind): "frame kind \(kind) is unknown"
    case .unknownFlags(let flags): "frame flags \(flags) have unknown bits"
    case .unexpectedPayload(let kind): "a \(kind) frame has a payload, and must have none"
    }
  }
  /// Whether a request of HTTP begins so: `GET `, `POST`, `HEAD`, `PUT `, `OPTI`, `DELE`.
  private static func isHTTP(_ first: UInt32) -> Bool {
    [0x2054_4547, 0x5453_4F50, 0x4441_4548, 0x2054_5550, 0x4954_504F, 0x454C_4544].contains(first)
  }
}
