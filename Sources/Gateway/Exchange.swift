internal import EventLoop
internal import HTTP
internal import Tracing

/// What is noted of a request while it is answered.
struct Exchange {
  let began = LoopInstant.current
  let requestID: String
  /// The statistics of its route; nil as long as it is not known.
  private(set) var route: RouteStatistics?
  /// Its trace; nil as long as nothing is done for it.
  var trace: RequestTrace?

  init(requestID: String) { self.requestID = requestID }

  /// The request is one of that route.
  mutating func isOf(_ route: RouteStatistics) {
    self.route = route
    route.running += 1
  }

  /// The request is answered.
  func ended(_ status: HTTPStatus, _ tracer: Tracer?) {
    guard let route else { return }
    route.running -= 1
    route.answered(status, after: LoopInstant.current - began)
    guard let tracer, let span = trace?.span else { return }
    // Of few different names (OpenTelemetry, "Semantic conventions for HTTP spans").
    var attributes: [TraceSpan.Attribute] = [
      .init(.httpMethod, route.method), .init(.httpRoute, route.route), .init(.httpStatus, status.code),
      .init(.requestID, requestID),
    ]
    if status.code >= 500 { attributes.append(.init(.errorType, "\(status.code)")) }
    tracer.end(span, "\(route.method) \(route.route)", .server, isError: status.code >= 500, attributes)
  }
}
