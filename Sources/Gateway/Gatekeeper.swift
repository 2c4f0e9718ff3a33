internal import EventLoop
internal import HTTP
internal import RPC
package import Service

/// Decides which requests become calls: those of callers who are known, where that is asked for, and no more than there
/// may be.
// Confined to its gateway's event loop.
package final class Gatekeeper: @unchecked Sendable {
  private let authenticator: Authenticator?
  private let crossOrigin: CrossOriginPolicy?
  private let address: ClientAddress
  private let concurrencyMax: Int
  private var limiter: RateLimiter?
  /// Requests in work.
  private(set) var runningCount = 0
  private var shedTotal = 0
  private var limitedTotal = 0

  /// A gatekeeper that asks for tokens if it has an authenticator.
  ///
  /// - Parameters:
  ///   - limits: what ``LimitSettings`` say; no limits, when it is nil.
  package convenience init(authenticator: Authenticator? = nil, limits: Configuration? = nil) {
    self.init(
      authenticator: authenticator, policy: limits.flatMap(LimitSettings.policy),
      proxyHops: limits?.integer("proxy-hops") ?? 0, concurrencyMax: limits?.integer("concurrency-max") ?? .max,
      crossOrigin: limits.flatMap(LimitSettings.crossOrigin))
  }

  init(
    authenticator: Authenticator? = nil, policy: RateLimiter.Policy?, proxyHops: Int = 0, concurrencyMax: Int = .max,
    crossOrigin: CrossOriginPolicy? = nil
  ) {
    self.authenticator = authenticator
    limiter = policy.map { RateLimiter($0) }
    address = ClientAddress(proxyHops: proxyHops)
    self.concurrencyMax = concurrencyMax
    self.crossOrigin = crossOrigin
  }

  /// Whether callers have to show tokens.
  var asksForTokens: Bool { authenticator != nil }

  /// Lets a request in, which ``leave()`` ends; nothing has been done for it yet.
  ///
  /// - Throws: what it is refused with; it must not leave then.
  func enter(_ request: HTTPRequest, now: LoopInstant) throws(Problem) -> Admission {
    guard runningCount < concurrencyMax else {
      shedTotal += 1
      throw .overloaded
    }
    var admission = Admission()
    if let authenticator {
      // Who makes tokens up pays for the checks of their signatures by the address.
      admission.caller = try authenticator.caller(of: request.fields) { () throws(Problem) in
        _ = try takeToken(request, nil, now)
      }
    }
    admission.fields = try takeToken(request, admission.caller, now)
    runningCount += 1
    return admission
  }

  /// A request that was let in has been answered.
  func leave() { runningCount -= 1 }

  /// Adds to a response what pages of other origins may do with it.
  func complete(_ response: inout HTTPResponse, for request: HTTPRequest) {
    crossOrigin?.apply(to: &response, for: request)
  }

  /// Refuses a WebSocket to a page of another origin that may not use the API: browsers leave that to the server (RFC 6455
  /// section 10.2).
  func requireOrigin(of request: HTTPRequest) throws(Problem) {
    guard let origin = request.fields["origin"], crossOrigin?.admits(origin) != true else { return }
    let authority = origin.firstRange(of: "://").map { origin[$0.upperBound...] }
    if let authority, let host = request.fields["host"], authority.lowercased() == host.lowercased() { return }
    throw Problem(
      status: HTTPStatus(403), code: StatusCode.permissionDenied.name, reason: "ORIGIN_REFUSED",
      detail: "Pages of this origin may not open WebSockets here; --cors-origins says which may.")
  }

  /// Takes a token from the bucket of whoever sent a request; what is left is for the response to say.
  private func takeToken(
    _ request: HTTPRequest, _ caller: Caller?, _ now: LoopInstant
  ) throws(Problem) -> [(String, String)] {
    guard let policy = limiter?.policy else { return [] }
    let subject = caller?.user
    let name = subject == nil ? "address" : "user"
    let key = subject.map { "user \($0)" } ?? address.key(of: request)
    guard let decision = limiter?.take(key, now: now) else { return [] }
    let fields = decision.fields(name, policy)
    if decision.isAdmitted { return fields }
    limitedTotal += 1
    var problem = Problem.quotaExceeded(name, decision)
    problem.fields += fields
    throw problem
  }

  /// Its figures.
  package var metrics: [Metric] {
    [
      Metric("http_calls_running", .gauge, "Requests in work that call services.", Double(runningCount)),
      Metric("http_shed_total", .counter, "Requests refused because too many were in work.", Double(shedTotal)),
      Metric("http_limited_total", .counter, "Requests refused because of their caller's rate.", Double(limitedTotal)),
      Metric(
        "tokens_verified_total", .counter, "Signatures of tokens that were checked.",
        Double(authenticator?.verifiedTotal ?? 0)),
      Metric(
        "tokens_refused_total", .counter, "Tokens that were not taken.", Double(authenticator?.refusedTotal ?? 0)),
    ]
  }
}

extension RateLimiter.Decision {
  /// What the caller is told (draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4): the whole bucket and how long it
  /// takes to fill, and what is left in it and how long until it is full again.
  fileprivate func fields(_ name: String, _ policy: RateLimiter.Policy) -> [(String, String)] {
    let window = max(1, Duration.nanoseconds(Int64(clamping: policy.window)).secondsRoundedUp)
    return [
      ("RateLimit-Policy", "\"\(name)\";q=\(policy.burst);w=\(window)"),
      ("RateLimit", "\"\(name)\";r=\(remaining);t=\(untilFull.secondsRoundedUp)"),
    ]
  }
}
