internal import EventLoop
internal import HTTP
internal import RPC
internal import Schema
internal import Wire

/// Methods that stream their responses, over HTTP.
extension Gateway {
  /// Answers a request for a stream: once its first message is there, or nothing was wrong for a moment.
  func stream(
    _ route: Route, _ variables: [ArraySlice<UInt8>], _ request: HTTPRequest, _ requestID: String,
    _ admission: Admission, _ exchange: inout Exchange
  ) async throws(Problem) -> HTTPResponse {
    let trace = RequestTrace(request.fields, loop: loop, tracer: tracer)
    exchange.trace = trace
    let form = try StreamForm(request)
    if form == .webSocket { try gatekeeper.requireOrigin(of: request) }
    let context = try RequestContext(
      request.fields, requestID: requestID, takesIdempotencyKey: false, caller: admission.caller, trace: trace.context)
    try streams.check(context.caller?.user)
    let place = StreamPlace(in: self, of: context.caller?.user)
    let lastEvent = request.fields["last-event-id"].flatMap { $0.isEmpty ? nil : $0 }
    // What is wrong with the request is told before anything else.
    _ = try route.payload(variables, request, cursor: lastEvent)
    let hasTimeout = request.fields.contains("request-timeout")
    let stream = ResumableStream(
      loop: loop, timing: streamTiming, pool: backends.pool(of: route), route: route, options: context.callOptions(),
      end: hasTimeout ? loop.now + context.timeout : nil,
      expiry: admission.caller?.expiresAt.map { loop.now + .microseconds($0.microseconds - Timestamp.now.microseconds) }
    ) { (cursor: String?) throws(Problem) in
      try route.payload(variables, request, cursor: cursor ?? lastEvent)
    }
    let session = StreamSession(self, route, form, context, stream, place)
    let response = try Self.response(form, request, requestID, session)
    do {
      try await session.begin()
    } catch let problem as Problem {
      throw problem
    } catch {
      throw problem(of: error, route, context)
    }
    return response
  }

  private static func response(
    _ form: StreamForm, _ request: HTTPRequest, _ requestID: String, _ session: StreamSession
  ) throws(Problem) -> HTTPResponse {
    guard form == .webSocket else {
      let fields = [
        ("Content-Type", form.contentType), ("Cache-Control", "no-store"), ("X-Request-Id", requestID),
      ]
      return HTTPResponse(fields: fields) { body in try await session.write(to: body) }
    }
    do throws(HTTPRefusal) {
      return try HTTPResponse.webSocket(for: request, fields: [("X-Request-Id", requestID)]) { socket in
        await session.converse(on: socket)
      }
    } catch {
      throw Problem(error)
    }
  }

  /// What a failed call of a stream is to its client.
  func problem(of error: any Error, _ route: Route, _ context: RequestContext) -> Problem {
    let error =
      error as? RPCError
      ?? (error is CancellationError
        ? RPCError(.cancelled, "the call was cancelled") : RPCError(.internal, "\(error)"))
    let problem = Problem(error, hasPreconditions: false)
    if problem.status.code >= 500 { logFailure(error, of: route, context) }
    return problem
  }
}
