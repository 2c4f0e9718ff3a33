internal import HTTP
internal import RPC
internal import Schema
internal import Service
internal import Wire

/// A stream on its way from a call to an HTTP client, in the form that it wants. The call is read as fast as the client
/// reads.
// Confined to its gateway's event loop.
final class StreamSession: @unchecked Sendable {
  private let gateway: Gateway
  private let route: Route
  private let form: StreamForm
  private let context: RequestContext
  private let stream: ResumableStream
  private let place: StreamPlace
  /// What came while the head waited.
  private var first = Arrival<ResumableStream.Item>.nothing

  init(
    _ gateway: Gateway, _ route: Route, _ form: StreamForm, _ context: RequestContext, _ stream: ResumableStream,
    _ place: StreamPlace
  ) {
    (self.gateway, self.route, self.form, self.context, self.stream) = (gateway, route, form, context, stream)
    self.place = place
  }

  /// Makes the call, and waits a moment for what comes of it.
  ///
  /// - Throws: ``RPCError``; ``Problem``; `CancellationError`.
  func begin() async throws { first = try await stream.next(atMost: gateway.streamTiming.headPatience) }

  /// The body of a response with a head.
  ///
  /// - Throws: `CancellationError` when the server goes and the body's end would say that the stream is whole.
  func write(to body: HTTPBodyWriter) async throws {
    do {
      try await body.write(form.beginning)
      try await forEachItem { item in
        guard let item else { return try await body.write(form.heartbeat) }
        var bytes: [UInt8] = []
        form.append(try json(item), cursor: item.cursor, to: &bytes)
        try await body.write(bytes)
      }
      try await body.write(form.end)
    } catch is CancellationError {
      // The client is gone, or the server goes: events are asked for again elsewhere. Lines have no word for that.
      if form == .lines { throw CancellationError() }
    } catch {
      try? await body.write(form.failure(problem(error).json(requestID: context.requestID)))
    }
  }

  /// A conversation by WebSocket, in which the client has nothing to say.
  func converse(on socket: WebSocket) async {
    async let silence: Void = Self.ignore(socket)
    do {
      try await forEachItem { item in
        // The socket has heartbeats of its own.
        guard let item else { return }
        try await socket.send(text: String(decoding: try json(item), as: UTF8.self))
      }
      socket.close()
    } catch is CancellationError {
      // The client is gone, or the server goes, which tells it.
    } catch {
      let problem = problem(error)
      // 4000 to 4999 are the application's own (RFC 6455 section 7.4.2): 4404 is what would be 404.
      socket.close(code: UInt16(4_000 + problem.status.code % 1_000), reason: Self.reason(of: problem))
    }
    await silence
  }

  private static func ignore(_ socket: WebSocket) async {
    do { while try await socket.next() != nil {} } catch {}
  }

  /// Hands over each item, and nil when a heartbeat is due.
  private func forEachItem(_ body: (ResumableStream.Item?) async throws -> Void) async throws {
    stream.takeUp()
    var arrival = first
    first = .end
    var isDue = false
    while true {
      switch arrival {
      case .message(let item): try await body(item)
      // The head was a sign of life.
      case .nothing: if isDue { try await body(nil) }
      case .end: return
      }
      isDue = true
      arrival = try await stream.next(atMost: gateway.streamTiming.heartbeat)
    }
  }

  private func json(_ item: ResumableStream.Item) throws -> [UInt8] {
    var json: [UInt8] = []
    json.reserveCapacity(item.payload.count * 2)
    do {
      try route.translator.append(item.payload.span.bytes, of: route.method.response, to: &json)
      return json
    } catch {
      throw RPCError(.internal, "the response of \(route.method.fullName) cannot be translated: \(error)")
    }
  }

  private func problem(_ error: any Error) -> Problem {
    if let problem = error as? Problem { return problem }
    return gateway.problem(of: error, route, context)
  }

  /// The code and the detail, in the 123 bytes that there are.
  private static func reason(of problem: Problem) -> String {
    var reason = "\(problem.code): \(problem.detail)"
    while reason.utf8.count > 123 { reason.removeLast() }
    return reason
  }
}
