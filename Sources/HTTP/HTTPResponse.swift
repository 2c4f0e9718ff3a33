/// A whole response, as a handler gives it.
///
/// The server adds `Date`, `Content-Length` and `Connection`; a handler does not set them.
package struct HTTPResponse: Sendable {
  package var status: HTTPStatus
  package var fields: HTTPFields
  /// The body; dropped where the request was HEAD or the status forbids one.
  package var body: [UInt8]

  /// A response of these parts.
  package init(_ status: HTTPStatus, fields: [(String, String)] = [], body: [UInt8] = []) {
    self.init(status, fields: HTTPFields(fields), body: body)
  }

  /// A response of these parts.
  package init(_ status: HTTPStatus, fields: HTTPFields, body: [UInt8] = []) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  /// A response with a body of this media type.
  package static func content(_ type: String, _ text: String, status: HTTPStatus = .ok) -> HTTPResponse {
    HTTPResponse(status, fields: [("Content-Type", type)], body: Array(text.utf8))
  }

  /// The status and why, as plain text.
  package static func text(_ refusal: HTTPRefusal) -> HTTPResponse {
    let status = refusal.status
    return content("text/plain; charset=utf-8", "\(status.code) \(status.reason): \(refusal.detail)\n", status: status)
  }
}
