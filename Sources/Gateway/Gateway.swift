package import EventLoop
package import HTTP
internal import RPC
internal import Schema
package import Service
package import Tracing
internal import Wire

/// Answers HTTP requests by calls to the servers behind it. It knows no service by name: the routes are what the
/// servers' schemas say.
// Confined to its event loop, where the HTTP server calls it.
package final class Gateway: @unchecked Sendable {
  let loop: EventLoop
  let backends: Backends
  private let log: Log
  let gatekeeper: Gatekeeper
  let tracer: Tracer?
  let streamTiming: StreamTiming
  /// The streams that are open.
  var streams = OpenStreams()
  private let documentation: Documentation

  /// A gateway before `backends`, which calls them for those whom `gatekeeper` lets in, and describes their routes by
  /// `documentation`.
  package init(
    loop: EventLoop, backends: Backends, log: Log, gatekeeper: Gatekeeper = Gatekeeper(), tracer: Tracer? = nil,
    documentation: Documentation? = nil, streamTiming: StreamTiming = StreamTiming()
  ) {
    self.loop = loop
    self.backends = backends
    self.documentation = documentation ?? Documentation(backends)
    self.log = log
    self.gatekeeper = gatekeeper
    self.tracer = tracer
    self.streamTiming = streamTiming
    WebPage.prepare()
  }

  /// Answers a request; whatever goes wrong is told as a problem (RFC 9457).
  package func answer(_ request: HTTPRequest) async -> HTTPResponse {
    let requestID = RequestContext.requestID(request.fields, random: &loop.random)
    var exchange = Exchange(requestID: requestID)
    var response: HTTPResponse
    do throws(Problem) {
      response = try await respond(to: request, requestID, &exchange)
    } catch {
      response = error.response(requestID: requestID)
    }
    gatekeeper.complete(&response, for: request)
    exchange.ended(response.status, tracer)
    return response
  }

  /// The answer to a request that the HTTP server does not take.
  package static func refuse(_ refusal: HTTPRefusal) -> HTTPResponse {
    Problem(refusal).response(requestID: UUID.v7(.now).description)
  }

  private func respond(
    to request: HTTPRequest, _ requestID: String, _ exchange: inout Exchange
  ) async throws(Problem) -> HTTPResponse {
    if let page = Page(request.path) {
      exchange.isOf(backends.statistics.of(request.method.rawValue, page.name))
      return try response(page, to: request)
    }
    if let content = try documentation.content(at: request.path) {
      exchange.isOf(backends.statistics.of(request.method.rawValue, content.name))
      return try Self.read(request.method) { content.response(to: request) }
    }
    if request.method == .options, request.path.elementsEqual("*".utf8) {
      return Self.allow(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
    }
    let match = backends.routes.match(request.method.rawValue, request.path)
    if request.method == .options, case .methodNotAllowed(let allowed) = match { return Self.allow(allowed) }
    exchange.isOf(figures(of: match, request.method))
    let admission = try gatekeeper.enter(request, now: loop.now)
    defer { gatekeeper.leave() }
    do throws(Problem) {
      var response = try await respond(to: request, match, requestID, admission, &exchange)
      for (name, value) in admission.fields { response.fields.append(name, value) }
      return response
    } catch {
      var problem = error
      problem.fields += admission.fields
      throw problem
    }
  }

  private func respond(
    to request: HTTPRequest, _ match: RouteTable.Match, _ requestID: String, _ admission: Admission,
    _ exchange: inout Exchange
  ) async throws(Problem) -> HTTPResponse {
    switch match {
    case .found(let route, let variables):
      try admission.requireCaller(for: route)
      if route.method.responseIsStream {
        return try await stream(route, variables, request, requestID, admission, &exchange)
      }
      return try await call(route, variables, request, requestID, admission, &exchange)
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

  /// What counts requests of this kind, those included that are not let in.
  private func figures(of match: RouteTable.Match, _ method: HTTPMethod) -> RouteStatistics {
    if case .found(let route, _) = match { return route.statistics }
    return backends.statistics.of(method.rawValue, GatewayStatistics.unmatched)
  }

  private static func allow(_ methods: [String]) -> HTTPResponse {
    HTTPResponse(.noContent, fields: [("Allow", methods.joined(separator: ", "))])
  }

  // MARK: - Calls

  private func call(
    _ route: Route, _ variables: [ArraySlice<UInt8>], _ request: HTTPRequest, _ requestID: String,
    _ admission: Admission, _ exchange: inout Exchange
  ) async throws(Problem) -> HTTPResponse {
    let trace = RequestTrace(request.fields, loop: loop, tracer: tracer)
    exchange.trace = trace
    guard ContentNegotiation.admitsJSON(request.fields.list("accept")) else {
      throw Problem(
        status: .notAcceptable, code: "INVALID_ARGUMENT", detail: "Responses here are application/json only.")
    }
    try Preconditions(request.fields).check(before: request.method)
    let context = try RequestContext(
      request.fields, requestID: requestID, takesIdempotencyKey: route.takesIdempotencyKey,
      caller: admission.caller, trace: trace.context)
    let payload = try route.payload(variables, request)
    do throws(RPCError) {
      let result = try await perform(route, payload, context)
      return try route.response(to: request, from: result, requestID: requestID)
    } catch {
      let problem = Problem(error, hasPreconditions: request.hasPreconditions)
      if problem.status.code >= 500 { logFailure(error, of: route, context) }
      throw problem
    }
  }

  private func perform(
    _ route: Route, _ payload: [UInt8], _ context: RequestContext
  ) async throws(RPCError) -> CallResult {
    var options = context.callOptions()
    options.isRepeatable =
      route.method.isIdempotent || context.idempotencyKey != nil && route.method.takesIdempotencyKey
    let span = tracer?.begin(under: context.trace)
    if let span { options.metadata["traceparent"] = span.context.text }
    do {
      let result = try await backends.pool(of: route).call(method: route.method.id, payload: payload, options: options)
      ended(span, route, .ok)
      return result
    } catch {
      let error = error as? RPCError ?? RPCError(.internal, "\(error)")
      ended(span, route, error.code)
      throw error
    }
  }

  private func ended(_ span: OpenSpan?, _ route: Route, _ status: StatusCode) {
    guard let tracer, let span else { return }
    let name = route.method.fullName
    tracer.end(span, name, .client, isError: status != .ok, TraceSpan.Attribute.ofCall(name, status))
  }

  func logFailure(_ error: RPCError, of route: Route, _ context: RequestContext) {
    log.warning(
      "call failed",
      [
        .method: route.method.fullName, .requestID: context.requestID, .traceID: context.trace.traceID,
        .error: "\(error)",
      ])
  }

  // MARK: - Pages

  private func response(_ page: Page, to request: HTTPRequest) throws(Problem) -> HTTPResponse {
    try Self.read(request.method) {
      switch page {
      case .file(let file): file.response(to: request.fields)
      case .health: HealthPages.alive
      case .readiness: HealthPages.ready(backends.readiness)
      }
    }
  }

  /// Answers what can only be read.
  private static func read(_ method: HTTPMethod, _ response: () -> HTTPResponse) throws(Problem) -> HTTPResponse {
    switch method {
    case .get, .head: return response()
    case .options: return allow(Page.allowed)
    default: throw .methodNotAllowed(method.rawValue, allowed: Page.allowed)
    }
  }
}

/// What the gateway answers by itself.
private enum Page {
  case file(StoredContent)
  case health
  case readiness

  /// What it is called in figures: the files of the web page are one.
  var name: String {
    switch self {
    case .file: "/"
    case .health: "/healthz"
    case .readiness: "/readyz"
    }
  }

  static let allowed = ["GET", "HEAD", "OPTIONS"]

  init?(_ path: ArraySlice<UInt8>) {
    if let file = WebPage.file(at: path) {
      self = .file(file)
      return
    }
    if path.count > 8 { return nil }
    switch String(decoding: path, as: UTF8.self) {
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
