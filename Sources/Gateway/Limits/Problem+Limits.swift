internal import EventLoop
internal import HTTP
internal import RPC

/// What clients are told who ask for too much (draft-ietf-httpapi-ratelimit-headers-11, section 5).
extension Problem {
  private static let types = "https://iana.org/assignments/http-problem-types#"

  /// A caller has used up what the policy of this name gives it.
  static func quotaExceeded(_ name: String, _ decision: RateLimiter.Decision) -> Problem {
    let seconds = decision.retryAfter.secondsRoundedUp
    var problem = Problem(
      status: HTTPStatus(429), code: StatusCode.resourceExhausted.name,
      detail: "These are more requests than a caller may send. Try again in \(seconds) s.",
      fields: [("Retry-After", "\(seconds)")])
    problem.type = types + "quota-exceeded"
    problem.title = "Request cannot be satisfied as assigned quota has been exceeded"
    problem.violatedPolicies = [name]
    return problem
  }

  /// More is in work than there may be.
  static var overloaded: Problem {
    var problem = Problem(
      status: .serviceUnavailable, code: StatusCode.unavailable.name,
      detail: "Too many requests are in work just now. Nothing was done of this one; try again.",
      fields: [("Retry-After", "1")])
    problem.type = types + "temporary-reduced-capacity"
    problem.title = "Request cannot be satisfied due to temporary server capacity constraints"
    return problem
  }
}

extension Duration {
  /// The whole seconds, rounded up, never negative.
  var secondsRoundedUp: UInt64 { (millisecondsRoundedUp + 999) / 1_000 }
}
