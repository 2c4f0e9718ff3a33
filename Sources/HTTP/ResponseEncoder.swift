/// Writes responses as bytes (RFC 9112 section 4).
struct ResponseEncoder {
  /// What the client must be told besides the response itself.
  struct Context {
    /// The request was HEAD: the head goes out as for GET, the body does not.
    var isHead: Bool
    var isVersion10: Bool
    /// Whether the connection stays open.
    var keepsAlive: Bool
  }

  /// The interim response that asks for the body (RFC 9110 section 15.2.1).
  static let `continue` = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

  /// The `Date` line; made anew each second by its owner.
  var dateLine: [UInt8] = []

  /// Adds `response` to `bytes`; of a body that is made while it is sent, only the head.
  func append(_ response: HTTPResponse, _ context: Context, to bytes: inout [UInt8]) {
    let status = response.status
    let body = response.body
    bytes.reserveCapacity(bytes.count + 160 + response.fields.text.count + body.count)
    if status.code == 200 {
      bytes.append(contentsOf: "HTTP/1.1 200 OK\r\n".utf8)
    } else {
      bytes.append(contentsOf: "HTTP/1.1 \(status.code) \(status.reason)\r\n".utf8)
    }
    bytes.append(contentsOf: dateLine)
    bytes.append(contentsOf: response.fields.text)
    if !status.forbidsBody {
      switch response.content {
      case .bytes:
        bytes.append(contentsOf: "Content-Length: ".utf8)
        bytes.append(contentsOf: String(body.count).utf8)
        bytes.append(contentsOf: "\r\n".utf8)
      case .webSocket: break
      case .stream:
        if !context.isVersion10 { bytes.append(contentsOf: "Transfer-Encoding: chunked\r\n".utf8) }
      }
    }
    if !context.keepsAlive {
      bytes.append(contentsOf: "Connection: close\r\n".utf8)
    } else if context.isVersion10 {
      bytes.append(contentsOf: "Connection: keep-alive\r\n".utf8)
    }
    bytes.append(contentsOf: "\r\n".utf8)
    if !status.forbidsBody, !context.isHead { bytes.append(contentsOf: body) }
  }

  /// Adds a piece of a body that is made while it is sent: a chunk (RFC 9112 section 7.1), or as it is for HTTP/1.0.
  static func append(piece: ArraySlice<UInt8>, _ context: Context, to bytes: inout [UInt8]) {
    if context.isVersion10 { return bytes.append(contentsOf: piece) }
    bytes.reserveCapacity(bytes.count + piece.count + 20)
    bytes.append(contentsOf: String(piece.count, radix: 16).utf8)
    bytes.append(contentsOf: "\r\n".utf8)
    bytes.append(contentsOf: piece)
    bytes.append(contentsOf: "\r\n".utf8)
  }

  /// Adds the end of a body that was made while it was sent; HTTP/1.0 has none but the connection's.
  static func appendEnd(_ context: Context, to bytes: inout [UInt8]) {
    if !context.isVersion10 { bytes.append(contentsOf: "0\r\n\r\n".utf8) }
  }
}
