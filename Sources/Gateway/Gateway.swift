package import EventLoop
package import HTTP
internal import RPC
internal import Schema
package import Service
internal import Wire

/// Answers HTTP requests by calls to the servers behind it. It knows no service by name: the routes are what the
/// servers' schemas say.
// Confined to its event loop, where the HTTP server calls it.
package final class Gateway: @unchecked Sendable {
  private let loop: EventLoop
  private let backends: Backends
  private let log: Log
  private let gatekeeper: Gatekeeper

  /// A gateway before `backends`, which calls them for those whom `gatekeeper` lets in.
  package init(loop: EventLoop, backends: Backends, log: Log, gatekeeper: Gatekeeper = Gatekeeper()) {
    self.loop = loop
    self.backends = backends
    self.log = log
    self.gatekeeper = gatekeeper
  }

  /// Answers a request; whatever goes wrong is told as a problem (RFC 9457).
  package func answer(_ request: HTTPRequest) async -> HTTPResponse {
    let requestID = RequestContext.requestID(request.fields, random: &loop.random)
    var response: HTTPResponse
    do throws(Problem) {
      response = try await respond(to: request, requestID)
    } catch {
      response = error.response(requestID: requestID)
    }
    gatekeeper.complete(&response, for: request)
    return response
  }

  /// The answer to a request that the HTTP server does not take.
  package static func refuse(_ refusal: HTTPRefusal) -> HTTPResponse {
    Problem(refusal).response(requestID: UUID.v7(.now).description)
  }

  private func respond(to request: HTTPRequest, _ requestID: String) async throws(Problem) -> HTTPResponse {
    if let page = Page(request.path) { return try response(page, request.method) }
    if request.method == .options, request.path.elementsEqual("*".utf8) {
      return Self.allow(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
    }
    let match = backends.routes.match(request.method.rawValue, request.path)
    if request.method == .options, case .methodNotAllowed(let allowed) = match { return Self.allow(allowed) }
    let admission = try gatekeeper.enter(request, now: loop.now)
    defer { gatekeeper.leave() }
    do throws(Problem) {
      var response = try await respond(to: request, match, requestID, admission)
      for (name, value) in admission.fields { response.fields.append(name, value) }
      return response
    } catch {
      var problem = error
      problem.fields += admission.fields
      throw problem
    }
  }

  private func respond(
    to request: HTTPRequest, _ match: RouteTable.Match, _ requestID: String, _ admission: Admission
  ) async throws(Problem) -> HTTPResponse {
    switch match {
    case .found(let route, let variables):
      try admission.requireCaller(for: route)
      return try await call(route, variables, request, requestID, admission)
    case .methodNotAllowed(let allowed):
      throw .methodNotAllowed(request.method.rawValue, allowed: allowed)
    case .notFound:
      // The route may be one of a server that has never been heard of: 404 would say that what it names does not exist.
      if backends.isEveryOfferKnown { throw .notFound("There is no such route.") }
      throw Problem(
        status: .serviceUnavailable, code: "UNAVAILABLE",
        detail: "No such route is known yet, and not every service has been reached yet. Try again.")
    }
  }

  private static func allow(_ methods: [String]) -> HTTPResponse {
    HTTPResponse(.noContent, fields: [("Allow", methods.joined(separator: ", "))])
  }

  // MARK: - Calls

  private func call(
    _ route: Route, _ variables: [ArraySlice<UInt8>], _ request: HTTPRequest, _ requestID: String,
    _ admission: Admission
  ) async throws(Problem) -> HTTPResponse {
    guard ContentNegotiation.admitsJSON(request.fields.list("accept")) else {
      throw Problem(
        status: .notAcceptable, code: "INVALID_ARGUMENT", detail: "Responses here are application/json only.")
    }
    try Preconditions(request.fields).check(before: request.method)
    let context = try RequestContext(
      request.fields, requestID: requestID, takesIdempotencyKey: route.takesIdempotencyKey,
      caller: admission.caller, random: &loop.random)
    let payload = try route.payload(variables, request)
    do throws(RPCError) {
      let result = try await perform(route, payload, context)
      return try route.response(to: request, from: result, requestID: requestID)
    } catch {
      var problem = Problem(error, hasPreconditions: request.hasPreconditions)
      if let challenge = Problem.challenge(for: error) { problem.fields.append(challenge) }
      if problem.status.code >= 500 { logFailure(error, of: route, requestID) }
      throw problem
    }
  }

  private func perform(
    _ route: Route, _ payload: [UInt8], _ context: RequestContext
  ) async throws(RPCError) -> CallResult {
    var options = context.callOptions()
    options.isRepeatable =
      route.method.isIdempotent || context.idempotencyKey != nil && route.method.takesIdempotencyKey
    do {
      return try await backends.pool(of: route).call(method: route.method.id, payload: payload, options: options)
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(.internal, "\(error)")
    }
  }

  private func logFailure(_ error: RPCError, of route: Route, _ requestID: String) {
    log.warning("call failed", [.method: route.method.fullName, .requestID: requestID, .error: "\(error)"])
  }

  // MARK: - Pages

  private func response(_ page: Page, _ method: HTTPMethod) throws(Problem) -> HTTPResponse {
    switch method {
    case .get, .head: break
    case .options: return Self.allow(Page.allowed)
    default: throw .methodNotAllowed(method.rawValue, allowed: Page.allowed)
    }
    return switch page {
    case .index: IndexPage.response(backends.routes)
    case .health: HealthPages.alive
    case .readiness: HealthPages.ready(backends.readiness)
    }
  }
}

/// What the gateway answers by itself.
private enum Page {
  case index
  case health
  case readiness

  static let allowed = ["GET", "HEAD", "OPTIONS"]

  init?(_ path: ArraySlice<UInt8>) {
    if path.count > 8 { return nil }
    switch String(decoding: path, as: UTF8.self) {
    case "/": self = .index
    case "/healthz": self = .health
    case "/readyz": self = .readiness
    default: return nil
    }
  }
}

extension HTTPRequest {
  /// Whether the client says on which state of the resource its request rests (RFC 9110 section 13.1).
  fileprivate var hasPreconditions: Bool {
    ["if-match", "if-none-match", "if-unmodified-since"].contains { fields.contains($0) }
  }
}
