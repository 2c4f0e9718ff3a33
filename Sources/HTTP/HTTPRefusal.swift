/// Why a request is not taken: the answer says so, and the connection closes after it.
package struct HTTPRefusal: Error, Equatable {
  /// The status of the answer, 4xx or 5xx.
  package let status: HTTPStatus
  /// One sentence for a person.
  package let detail: String

  /// A refusal with this status.
  package init(_ status: HTTPStatus, _ detail: String) {
    self.status = status
    self.detail = detail
  }

  static func malformed(_ detail: String) -> HTTPRefusal { HTTPRefusal(.badRequest, detail) }
}
