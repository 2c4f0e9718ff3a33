/// One message of a WebSocket (RFC 6455 section 5.6).
package enum WebSocketMessage: Sendable, Equatable {
  case text(String)
  case binary([UInt8])

  /// The bytes of its payload.
  var count: Int {
    switch self {
    case .text(let text): text.utf8.count
    case .binary(let bytes): bytes.count
    }
  }
}
