internal import HTTP
internal import RPC

/// On which state of the resource a client rests its request (RFC 9110 section 13). Nothing here has a date of its last
/// change, so that conditions on dates are passed over (sections 13.1.3 and 13.1.4).
struct Preconditions {
  /// What becomes of a request that went well, once its response is known.
  enum Outcome: Equatable {
    /// The response is sent.
    case response
    /// The client has it already: 304.
    case notModified
    /// It is not what the client rests on: 412.
    case failed
  }

  private let ifMatch: String?
  private let ifNoneMatch: String?

  /// What the fields of a request say.
  init(_ fields: HTTPFields) {
    ifMatch = fields.list("if-match")
    ifNoneMatch = fields.list("if-none-match")
  }

  /// Refuses a request that would change something on condition that something is as it was: no route that changes
  /// something has a representation, so that If-Match never holds (section 13.1.1), and must be refused before anything is
  /// done; and If-None-Match always does (section 13.1.2).
  func check(before method: HTTPMethod) throws(Problem) {
    if ifMatch != nil, !method.isSafe { throw .preconditionFailed("Nothing was done: this route has no entity tag.") }
  }

  /// Compares with the tag of the response to GET or HEAD, in the order of section 13.2.2; nil where the route has none.
  func outcome(of method: HTTPMethod, tag: String?) -> Outcome {
    guard method.isSafe else { return .response }
    if let ifMatch, !EntityTag.matchesStrongly(ifMatch, tag) { return .failed }
    if let ifNoneMatch, EntityTag.matches(ifNoneMatch, tag) { return .notModified }
    return .response
  }
}

extension Problem {
  static func preconditionFailed(_ detail: String) -> Problem {
    Problem(status: HTTPStatus(412), code: StatusCode.failedPrecondition.name, detail: detail)
  }
}

extension HTTPMethod {
  fileprivate var isSafe: Bool { self == .get || self == .head }
}
