internal import HTTP
internal import Service

/// Which pages of other origins may use the API from a browser: the CORS protocol of the Fetch standard.
///
/// Callers are known by tokens, which a page must add itself, and never by what a browser adds unasked, such as cookies:
/// so nothing here ever allows credentials, and `*` gives nothing away.
struct CrossOriginPolicy: Sendable {
  /// The headers of requests that mean something here.
  private static let requestHeaders =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Request-Timeout, "
    + "traceparent, X-Request-Id"
  /// The headers of responses that a page may read besides those that it always may.
  private static let responseHeaders =
    "ETag, Idempotent-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"
  /// How long a browser remembers what it was told, in seconds: what Chromium takes at most.
  private static let secondsMax = 7_200

  private let origins: [String]
  private let isForAll: Bool

  /// A policy for pages of these origins; ``WebOrigin/any`` is everybody.
  init(origins: [String]) {
    self.origins = origins
    isForAll = origins == [WebOrigin.any]
  }

  /// Whether pages of an origin may use the API.
  func admits(_ origin: String) -> Bool { isForAll || origins.contains(origin) }

  /// Adds to a response what the page that asked may do with it.
  func apply(to response: inout HTTPResponse, for request: HTTPRequest) {
    if !isForAll { response.fields.append("Vary", "Origin") }
    guard let origin = request.fields["origin"], admits(origin) else { return }
    response.fields.append("Access-Control-Allow-Origin", isForAll ? WebOrigin.any : origin)
    guard request.method == .options, request.fields.contains("access-control-request-method") else {
      return response.fields.append("Access-Control-Expose-Headers", Self.responseHeaders)
    }
    guard let methods = response.fields["allow"] else { return }
    response.fields.append("Access-Control-Allow-Methods", methods)
    response.fields.append("Access-Control-Allow-Headers", Self.requestHeaders)
    response.fields.append("Access-Control-Max-Age", "\(Self.secondsMax)")
  }
}
