internal import HTTP
internal import RPC

/// What callers are told who are not known, or may not do what they want (RFC 6750 section 3).
extension Problem {
  /// Nothing says who the caller is: no error code then (section 3.1).
  static let tokenMissing = Problem(
    status: HTTPStatus(401), code: StatusCode.unauthenticated.name, reason: "TOKEN_MISSING",
    detail: "This route is for callers with a token: send it as Authorization: Bearer TOKEN.",
    fields: [challenge()])

  /// `Authorization` cannot be read.
  static let authorizationMalformed = Problem(
    status: .badRequest, code: StatusCode.invalidArgument.name, reason: "AUTHORIZATION_MALFORMED",
    detail: "Authorization must come once, as Bearer and a token.", fields: [challenge("invalid_request")])

  /// The token is not taken; `reason` follows "The token".
  static func tokenRefused(_ reason: String) -> Problem {
    Problem(
      status: HTTPStatus(401), code: StatusCode.unauthenticated.name, reason: "TOKEN_INVALID",
      detail: "The token \(reason).", fields: [challenge("invalid_token", description: "The token \(reason)")])
  }

  /// The error of a call with what belongs to it when tokens are asked for: which scope would do, or that there must be a
  /// token (RFC 9110 section 15.5.2).
  static func challenge(for error: RPCError) -> (String, String)? {
    switch (error.code, error.reason) {
    case (.permissionDenied, "OPERATORS_ONLY"): challenge("insufficient_scope", scope: Principal.operatorScope)
    case (.unauthenticated, _): challenge("invalid_token")
    default: nil
    }
  }

  private static func challenge(
    _ error: String? = nil, description: String? = nil, scope: String? = nil
  ) -> (String, String) {
    var value = "Bearer realm=\"gozon\""
    if let error { value += ", error=\"\(error)\"" }
    if let description { value += ", error_description=\"\(description.filter(isDescriptionCharacter))\"" }
    if let scope { value += ", scope=\"\(scope)\"" }
    return ("WWW-Authenticate", value)
  }

  /// The characters that an `error_description` may have.
  private static func isDescriptionCharacter(_ character: Character) -> Bool {
    guard let byte = character.asciiValue else { return false }
    return (0x20...0x7E).contains(byte) && character != "\"" && character != "\\"
  }
}
