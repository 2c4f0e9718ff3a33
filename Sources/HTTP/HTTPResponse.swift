/// A response, as a handler gives it.
///
/// The server adds `Date`, `Content-Length` or `Transfer-Encoding`, and `Connection`; a handler does not set them.
package struct HTTPResponse: Sendable {
  /// What follows the head; dropped where the request was HEAD or the status forbids a body.
  package enum Content: Sendable {
    /// The whole body.
    case bytes([UInt8])
    /// A body that is made while it is sent.
    case stream(HTTPBodyWriter.Producer)
    /// A conversation by WebSocket, after a response with the status 101.
    case webSocket(subprotocol: String?, WebSocket.Handler)
  }

  package var status: HTTPStatus
  package var fields: HTTPFields
  package var content: Content

  /// A response of these parts.
  package init(_ status: HTTPStatus, fields: [(String, String)] = [], body: [UInt8] = []) {
    self.init(status, fields: HTTPFields(fields), body: body)
  }

  /// A response of these parts.
  package init(_ status: HTTPStatus, fields: HTTPFields, body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    content = .bytes(body)
  }

  /// A response whose body `produce` writes while it is sent: chunked by HTTP/1.1, up to the connection's end by HTTP/1.0.
  package init(
    _ status: HTTPStatus = .ok, fields: [(String, String)] = [], produce: @escaping HTTPBodyWriter.Producer
  ) {
    self.status = status
    self.fields = HTTPFields(fields)
    content = .stream(produce)
  }

  /// A body that is there as a whole; empty when it is not.
  package var body: [UInt8] {
    if case .bytes(let body) = content { body } else { [] }
  }

  /// A response with a body of this media type.
  package static func content(_ type: String, _ text: String, status: HTTPStatus = .ok) -> HTTPResponse {
    HTTPResponse(status, fields: [("Content-Type", type)], body: Array(text.utf8))
  }

  /// The status and why, as plain text.
  package static func text(_ refusal: HTTPRefusal) -> HTTPResponse {
    let status = refusal.status
    let text = "\(status.code) \(status.reason): \(refusal.detail)\n"
    return HTTPResponse(
      status, fields: [("Content-Type", "text/plain; charset=utf-8")] + refusal.fields, body: Array(text.utf8))
  }
}
