/// Why a request is not taken: the answer says so, and the connection closes after it.
package struct HTTPRefusal: Error, Equatable {
  /// The status of the answer, 4xx or 5xx.
  package let status: HTTPStatus
  /// One sentence for a person.
  package let detail: String
  /// What the answer must say besides, such as which upgrade is meant.
  package let fields: [(String, String)]

  /// A refusal with this status.
  package init(_ status: HTTPStatus, _ detail: String, fields: [(String, String)] = []) {
    self.status = status
    self.detail = detail
    self.fields = fields
  }

  package static func == (one: HTTPRefusal, other: HTTPRefusal) -> Bool {
    one.status == other.status && one.detail == other.detail
  }

  /// There is too much to do just now, and will be less soon.
  static func overloaded(_ detail: String) -> HTTPRefusal {
    HTTPRefusal(.serviceUnavailable, detail, fields: [("Retry-After", "1")])
  }

  static let tooManyBodies = overloaded("This server has too many request bodies in work.")

  static func malformed(_ detail: String) -> HTTPRefusal { HTTPRefusal(.badRequest, detail) }
}
