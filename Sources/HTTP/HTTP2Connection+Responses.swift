internal import EventLoop

/// Handlers and their responses.
extension HTTP2Connection: HTTPBodySink {
  /// What a stream's unsent body may hold while it is made, in bytes: one that stands still must not take from others.
  private static let streamUnsentBytesMax = 64 * 1024

  /// Starts the handler of a request that is there as a whole.
  func begin(_ stream: HTTP2Stream, _ head: RequestHead) {
    // Not the streams are counted but the handlers: those of streams that were reset may still run.
    guard runningCount < limits.streamsMax, session.heldBytes <= limits.heldBytesMax,
      !server.heldResponses.isExceeded || session.responseBytes == 0
    else {
      return session.reset(stream.id, .refusedStream)
    }
    guard server.beginRequest() else {
      return refuse(stream, .overloaded("This server has too much to do."))
    }
    runningCount += 1
    let request = HTTPRequest(head: head, body: stream.body, peer: peer)
    stream.body = []
    let handler = server.handler
    let task = loop.startTask {
      let response = await handler(request)
      if case .stream(let produce) = response.content { return self.beginStream(response, produce, stream) }
      self.server.endRequest()
      self.handlerEnded(stream)
      if case .webSocket = response.content {
        return self.refuse(stream, .malformed("A WebSocket is opened by HTTP/1.1."))
      }
      self.respond(stream, self.server.compression?.coded(response, for: request.fields) ?? response)
    }
    if !stream.hasAnswered, stream.writer == nil { stream.task = task }
  }

  /// Sends a response and the body that `produce` makes, in a task of its own, as ``HTTPConnection`` does.
  private func beginStream(
    _ response: HTTPResponse, _ produce: @escaping HTTPBodyWriter.Producer, _ stream: HTTP2Stream
  ) {
    server.beginStream()
    let task = loop.startTask {
      await self.stream(response, produce, stream)
      self.server.endStream()
      self.handlerEnded(stream)
    }
    if !stream.hasAnswered { stream.task = task }
    if stream.isClosed { task.cancel() }
  }

  private func handlerEnded(_ stream: HTTP2Stream) {
    runningCount -= 1
    stream.task = nil
    stream.hasAnswered = true
    session.release(stream)
    scheduleFlush()
  }

  /// Answers a request that is not taken.
  func refuse(_ stream: HTTP2Stream, _ refusal: HTTPRefusal) { respond(stream, server.refuse(refusal)) }

  private func respond(_ stream: HTTP2Stream, _ response: HTTPResponse) {
    guard beginsResponse(stream) else { return }
    let body = response.body
    let hasBody = !stream.isHead && !response.status.forbidsBody && !body.isEmpty
    if hasBody {
      stream.output = HTTP2Output(whole: body)
      session.holdResponse(body.count, for: stream)
    }
    session.respond(stream, response, date: server.date, hasBody: hasBody)
    scheduleFlush()
  }

  /// Whether a response can be sent; what still comes of the request does not matter then.
  private func beginsResponse(_ stream: HTTP2Stream) -> Bool {
    if stream.isClosed || isEnded { return false }
    stream.isRequestDropped = true
    stream.requestHead = nil
    stream.bodyDeadline = nil
    return true
  }

  // MARK: - Bodies that are made while they are sent

  private func stream(
    _ response: HTTPResponse, _ produce: HTTPBodyWriter.Producer, _ stream: HTTP2Stream
  ) async {
    guard beginsResponse(stream) else { return }
    if stream.isHead || response.status.forbidsBody {
      session.respond(stream, response, date: server.date, hasBody: false)
      return scheduleFlush()
    }
    let writer = HTTPBodyWriter(loop: loop, sink: self, number: Int(stream.id))
    stream.writer = writer
    session.respond(stream, response, date: server.date, hasBody: true)
    scheduleFlush()
    if server.isDraining { withUnsafeCurrentTask { $0?.cancel() } }
    do {
      try await produce(writer)
      stream.output.end(isWhole: true)
    } catch {
      stream.output.end(isWhole: false)
    }
    writer.end()
    stream.writer = nil
    if !stream.isClosed { session.outputAppended(stream) }
  }

  func room(for number: Int) -> Int {
    guard let stream = session.streams[Int32(number)] else { return 0 }
    return max(0, min(Self.streamUnsentBytesMax, limits.unsentBytesMax) - stream.output.count)
  }

  func write(_ bytes: ArraySlice<UInt8>, to number: Int) {
    guard let stream = session.streams[Int32(number)] else { return }
    stream.output.append(bytes)
    session.outputAppended(stream)
    scheduleFlush()
  }
}
