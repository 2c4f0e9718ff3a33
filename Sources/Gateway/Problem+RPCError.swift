internal import EventLoop
internal import HTTP
internal import RPC

extension Problem {
  /// The reason of a service that does not know whether it has done something.
  private static let unknownOutcome = "UNKNOWN_OUTCOME"
  /// Reasons of errors that arose between here and a backend: their messages name addresses, nobody's business.
  private static let transportReasons: Set<String> = [
    "NOT_CONNECTED", "CONNECTION_LOST", "CONNECTION_REFUSED", "TLS_REFUSED", "DRAINING", "CLIENT_ENDED",
  ]
  /// Reasons of errors that say that too much goes from here to a backend: nobody's quota is used up.
  private static let congestionReasons: Set<String> = ["TOO_MANY_WAITING", "TOO_MANY_STREAMS"]

  /// The error of a call.
  ///
  /// `hasPreconditions`: the client sent `If-Match` or the like, so that a failed precondition is its own.
  init(_ error: RPCError, hasPreconditions: Bool) {
    var error = error
    // A backend that does not let the gateway in has nothing to say to the gateway's client.
    if Self.transportReasons.contains(error.reason), error.code != .deadlineExceeded { error.code = .unavailable }
    if Self.congestionReasons.contains(error.reason) {
      error = RPCError(.unavailable, "Too much is under way to this service. Try again.", retryAfter: .seconds(1))
    }
    status = Self.status(of: error, hasPreconditions: hasPreconditions)
    code = error.code.name
    reason = Self.transportReasons.contains(error.reason) ? "" : error.reason
    detail = Self.detail(of: error)
    violations = error.violations
    if let wait = error.retryAfter {
      fields.append(("Retry-After", "\(wait.secondsRoundedUp)"))
    }
    // Of the tokens that clients show, and not of what the gateway shows to a backend.
    if let challenge = Self.challenge(for: error) { fields.append(challenge) }
  }

  /// What the status of a call is in HTTP.
  private static func status(of error: RPCError, hasPreconditions: Bool) -> HTTPStatus {
    // The IETF draft of Idempotency-Key wants 422 for a key that comes back with another payload.
    if error.reason == "IDEMPOTENCY_KEY_REUSED" { return .unprocessableContent }
    // A service lost its database and knows no more; what to do is in its words.
    if error.reason == unknownOutcome { return .serviceUnavailable }
    if error.reason == "REQUEST_TOO_LARGE" { return .contentTooLarge }
    if error.reason == "RESPONSE_TOO_LARGE" { return .internalServerError }
    return switch error.code {
    case .ok: .ok
    case .cancelled: HTTPStatus(499)
    case .unknown, .internal, .dataLoss: .internalServerError
    case .invalidArgument, .outOfRange: .badRequest
    case .deadlineExceeded: HTTPStatus(504)
    case .notFound: .notFound
    case .alreadyExists, .aborted: .conflict
    case .permissionDenied: HTTPStatus(403)
    case .resourceExhausted: HTTPStatus(429)
    case .failedPrecondition: hasPreconditions ? HTTPStatus(412) : .badRequest
    case .unimplemented: .notImplemented
    case .unavailable: .serviceUnavailable
    case .unauthenticated: HTTPStatus(401)
    }
  }

  /// What the client is told: the service's own words, but nothing from behind it.
  private static func detail(of error: RPCError) -> String {
    switch error.code {
    case .unknown where error.reason == unknownOutcome:
      error.message
    case .internal, .unknown, .dataLoss:
      "The server failed. The request id finds this in its log."
    case .deadlineExceeded:
      "No answer came in time. The request may have taken effect; repeat it under the same idempotency key."
    case .unavailable where transportReasons.contains(error.reason):
      "The service behind this route cannot be reached just now. Try again."
    default:
      error.message
    }
  }
}
