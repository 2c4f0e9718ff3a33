internal import EventLoop

/// Responses, in the order of their requests.
extension HTTPConnection: HTTPBodySink {
  /// The response to a request is there as a whole.
  func respond(to number: Int, _ response: HTTPResponse) {
    let index = number - firstNumber
    guard !isEnded, exchanges.indices.contains(index) else { return }
    exchanges[index].response = response
    exchanges[index].task = nil
    if number == upgradeNumber { upgradeNumber = nil }
    sendWhatIsDue()
  }

  private func sendWhatIsDue() {
    while let exchange = exchanges.first, let response = exchange.response, !isEnded {
      if exchange.writer != nil { return sendHead(response) }
      removeFirst()
      send(response, exchange.context)
    }
    if exchanges.isEmpty {
      if exchanges.capacity > 4 { exchanges = [] }
      if owesContinue { askForBody() }
    }
  }

  private func removeFirst() {
    server.held.add(-exchanges.removeFirst().bodyBytes)
    firstNumber += 1
  }

  private func send(_ response: HTTPResponse, _ context: ResponseEncoder.Context) {
    var context = context
    if server.isDraining, exchanges.isEmpty { context.keepsAlive = false }
    prepareOutput()
    server.encode(response, context, to: &output)
    scheduleFlush()
    if !context.keepsAlive { closeAfterOutput() }
  }

  // MARK: - Bodies that are made while they are sent

  /// Sends a response and the body that `produce` makes, in a task of its own: a task keeps all the memory that it ever
  /// needed until its end, and a stream may last for hours after the handler's work.
  func beginStream(_ response: HTTPResponse, _ produce: @escaping HTTPBodyWriter.Producer, to number: Int) {
    server.beginStream()
    let task = loop.startTask {
      await self.stream(response, produce, to: number)
      self.server.endStream()
    }
    let index = number - firstNumber
    if exchanges.indices.contains(index), exchanges[index].writer != nil {
      exchanges[index].task = task
    } else {
      task.cancel()
    }
  }

  private func stream(_ response: HTTPResponse, _ produce: HTTPBodyWriter.Producer, to number: Int) async {
    let index = number - firstNumber
    guard !isEnded, exchanges.indices.contains(index) else { return }
    if exchanges[index].context.isHead || response.status.forbidsBody { return respond(to: number, response) }
    let writer = HTTPBodyWriter(loop: loop, sink: self, number: number)
    exchanges[index].response = response
    exchanges[index].writer = writer
    if number == upgradeNumber { upgradeNumber = nil }
    if server.isDraining { withUnsafeCurrentTask { $0?.cancel() } }
    sendWhatIsDue()
    do {
      try await produce(writer)
      streamEnded(number, isWhole: true)
    } catch {
      streamEnded(number, isWhole: false)
    }
  }

  // MARK: - WebSocket

  /// Goes on as a WebSocket; its request ends with its handler.
  func upgrade(
    _ number: Int, _ response: HTTPResponse, _ subprotocol: String?, _ handler: @escaping WebSocket.Handler
  ) {
    guard !isEnded, number == firstNumber, number == upgradeNumber else {
      server.endRequest()
      return respond(
        to: number, server.refuse(.malformed("A WebSocket cannot be opened while other requests are in work.")))
    }
    let context = ResponseEncoder.Context(isHead: false, isVersion10: false, keepsAlive: true)
    prepareOutput()
    server.encode(response, context, to: &output)
    scheduleFlush()
    removeFirst()
    exchanges = []
    flush()
    if isEnded { return server.endRequest() }
    let successor = WebSocketConnection(server: server, tcp: tcp)
    let first = leave(to: successor)
    successor.start(subprotocol: subprotocol, handler)
    if !first.isEmpty { successor.received(first.span.bytes) }
  }

  /// Sends the head of the first response, whose producer writes the rest.
  private func sendHead(_ response: HTTPResponse) {
    exchanges[0].response = nil
    exchanges[0].isHeadSent = true
    let mustClose = exchanges[0].context.isVersion10 || server.isDraining && exchanges.count == 1
    if mustClose {
      exchanges[0].context.keepsAlive = false
      isLastTaken = true
    }
    prepareOutput()
    server.encode(response, exchanges[0].context, to: &output)
    scheduleFlush()
    exchanges[0].writer?.wake()
  }

  private func streamEnded(_ number: Int, isWhole: Bool) {
    let index = number - firstNumber
    guard !isEnded, exchanges.indices.contains(index) else { return }
    exchanges[index].writer?.end()
    exchanges[index].writer = nil
    let context = exchanges[index].context
    guard exchanges[index].isHeadSent else {
      // Nothing has been sent: the response can still be another.
      let failure = HTTPRefusal(.internalServerError, "The response could not be made.")
      let response = exchanges[index].response ?? HTTPResponse(.noContent)
      return respond(
        to: number, isWhole ? HTTPResponse(response.status, fields: response.fields) : server.refuse(failure))
    }
    removeFirst()
    guard isWhole else { return cut(context) }
    prepareOutput()
    ResponseEncoder.appendEnd(context, to: &output)
    scheduleFlush()
    let mustClose = server.isDraining && exchanges.isEmpty
    if mustClose || !context.keepsAlive { closeAfterOutput() } else { sendWhatIsDue() }
  }

  func room(for number: Int) -> Int {
    guard number == firstNumber, exchanges.first?.isHeadSent == true else { return 0 }
    return max(0, limits.unsentBytesMax - tcp.queuedBytes - output.count)
  }

  func write(_ bytes: ArraySlice<UInt8>, to number: Int) {
    guard number == firstNumber, let exchange = exchanges.first else { return }
    prepareOutput()
    ResponseEncoder.append(piece: bytes, exchange.context, to: &output)
    scheduleFlush()
  }

  /// Lets the producer go on whose response is being sent.
  func wakeWriter() { exchanges.first?.writer?.wake() }
}
