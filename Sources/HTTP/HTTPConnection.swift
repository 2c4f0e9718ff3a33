internal import EventLoop

/// One client's connection by HTTP/1: requests in, responses out in the same order.
// Confined to its server's event loop.
final class HTTPConnection: ServedConnection, @unchecked Sendable {
  /// A request in work and, later, its response.
  struct Exchange {
    var context: ResponseEncoder.Context
    var task: Task<Void, Never>?
    /// Bytes of the request's body.
    var bodyBytes = 0
    /// The response that waits for those before it.
    var response: HTTPResponse?
    /// Where the response's producer writes, while it runs.
    var writer: HTTPBodyWriter?
    /// Whether the head of a response with a producer has gone out.
    var isHeadSent = false
  }

  /// What the client is to send next; the number is the request's.
  private enum Awaited: Equatable {
    /// Nothing: a response is due first.
    case nothing
    case request(Int)
    case head(Int)
    case body(Int)
  }

  let server: HTTPServer
  let tcp: TCPConnection
  private var parser: RequestParser
  /// Oldest first; `firstNumber` is the number of the first.
  var exchanges: [Exchange] = []
  var firstNumber = 0
  var output: [UInt8] = []
  private(set) var isFlushScheduled = false
  /// Whether it is known that the client speaks HTTP/1.
  private var isSettled = false
  /// What was read before that was known, or before the client was stopped because it has too much in work.
  private var unread: [UInt8] = []
  private var isPaused = false
  /// No request after those in work is taken; what still arrives is dropped.
  var isLastTaken = false
  var owesContinue = false
  /// The request that asks for another protocol, until it is answered: what follows it may be that protocol.
  var upgradeNumber: Int?
  private(set) var isEnded = false
  /// What the connection is now, when it is not HTTP/1 any more.
  private var successor: (any ServedConnection)?
  private var awaited = Awaited.request(0)
  private var readDeadline: LoopInstant?
  private var sendDeadline: LoopInstant?
  private var peer: String?
  /// Bytes of a body that is not there as a whole, as far as they are counted.
  private var arrivingBytes = 0

  init(server: HTTPServer, tcp: TCPConnection) {
    self.server = server
    self.tcp = tcp
    parser = RequestParser(limits: server.limits)
  }

  var loop: EventLoop { server.loop }
  var limits: HTTPLimits { server.limits }

  func start() {
    tcp.delegate = self
    readDeadline = loop.now + limits.idleTimeout
    tcp.start()
  }

  // MARK: - Bytes in

  func plaintextAnswer(to bytes: borrowing RawSpan) -> [UInt8] { server.plaintextAnswer(to: bytes) }

  func received(_ bytes: borrowing RawSpan) {
    if isSettled { read(bytes) } else { settle(bytes) }
  }

  /// Finds out from the first bytes which protocol the client speaks (RFC 9113 section 3.2 and 3.3).
  private func settle(_ bytes: borrowing RawSpan) {
    let chosen = tcp.applicationProtocol
    if unread.isEmpty, chosen == nil, bytes.byteCount > 0, ClientPreface.begins(bytes) == false {
      isSettled = true
      return read(bytes)
    }
    unread.append(bytes, 0..<bytes.byteCount)
    let first = unread
    let isHTTP2 = chosen.map { $0 == HTTPServer.http2 } ?? ClientPreface.begins(first.span.bytes)
    guard let isHTTP2 else {
      awaited = .head(0)
      readDeadline = readDeadline.map { min($0, loop.now + limits.headTimeout) }
      return
    }
    isSettled = true
    unread = []
    guard isHTTP2 else { return read(first.span.bytes) }
    let successor = HTTP2Connection(server: server, tcp: tcp)
    _ = leave(to: successor)
    successor.start()
    successor.received(first.span.bytes)
  }

  private func read(_ bytes: borrowing RawSpan) {
    var position = 0
    while position < bytes.byteCount, !isLastTaken, !isEnded {
      if isFull {
        unread.append(bytes, position..<bytes.byteCount)
        isPaused = true
        tcp.pauseReading()
        break
      }
      do throws(HTTPRefusal) {
        switch try parser.next(bytes, &position) {
        case .needsBytes: break
        case .expectsContinue: askForBody()
        case .request(let head, let body): take(head, body)
        }
      } catch {
        refuse(error)
      }
    }
    countArriving(parser.bodyBytes)
    if let successor {
      if position < bytes.byteCount { successor.received(bytes.extracting(position..<bytes.byteCount)) }
    } else {
      renewDeadline()
    }
  }

  /// Counts what has come of a body; where all bodies take too much, who sends on is refused.
  private func countArriving(_ count: Int) {
    if count == arrivingBytes || isEnded { return }
    server.held.add(count - arrivingBytes)
    arrivingBytes = count
    if count > 0, server.held.isExceeded { refuse(.tooManyBodies) }
  }

  private var isFull: Bool {
    exchanges.count >= limits.pipelineDepthMax || tcp.queuedBytes + output.count > limits.unsentBytesMax
      || upgradeNumber != nil
  }

  func resumeIfPaused() {
    guard isPaused, !isFull, !isEnded else { return }
    isPaused = false
    let bytes = unread
    unread = []
    read(bytes.span.bytes)
    if !isPaused, !isEnded { tcp.resumeReading() }
  }

  private func take(_ head: RequestHead, _ body: [UInt8]) {
    owesContinue = false
    let context = ResponseEncoder.Context(
      isHead: head.method == .head, isVersion10: head.isVersion10, keepsAlive: head.keepsAlive)
    if !head.keepsAlive { isLastTaken = true }
    let number = firstNumber + exchanges.count
    if head.asksForUpgrade { upgradeNumber = number }
    exchanges.append(Exchange(context: context, bodyBytes: body.count))
    server.held.add(body.count)
    if !body.isEmpty, server.held.isExceeded { return respond(to: number, server.refuse(.tooManyBodies)) }
    guard server.beginRequest() else {
      return respond(to: number, server.refuse(.overloaded("This server has too much to do.")))
    }
    let request = HTTPRequest(head: head, body: body, peer: peerAddress())
    let handler = server.handler
    let task = loop.startTask {
      let response = await handler(request)
      switch response.content {
      case .bytes:
        self.server.endRequest()
        self.respond(to: number, self.server.compression?.coded(response, for: request.fields) ?? response)
      case .stream(let produce): self.beginStream(response, produce, to: number)
      case .webSocket(let subprotocol, let handler):
        self.upgrade(number, response, subprotocol, handler)
      }
    }
    let index = number - firstNumber
    if exchanges.indices.contains(index), exchanges[index].writer == nil { exchanges[index].task = task }
  }

  private func peerAddress() -> String {
    if let peer { return peer }
    let address = tcp.peer
    peer = address
    return address
  }

  /// Answers what cannot be read, after the answers that are still due, and closes.
  func refuse(_ refusal: HTTPRefusal) {
    if isLastTaken || isEnded { return }
    isLastTaken = true
    let context = ResponseEncoder.Context(isHead: false, isVersion10: false, keepsAlive: false)
    exchanges.append(Exchange(context: context))
    respond(to: firstNumber + exchanges.count - 1, server.refuse(refusal))
  }

  // MARK: - Bytes out

  func askForBody() {
    owesContinue = !exchanges.isEmpty
    if owesContinue { return }
    prepareOutput()
    output.append(contentsOf: ResponseEncoder.continue)
    scheduleFlush()
  }

  /// Makes `output` ready to be appended to.
  func prepareOutput() {
    if !isFlushScheduled { output = server.takeBuffer() }
  }

  func scheduleFlush() {
    if isFlushScheduled { return }
    isFlushScheduled = true
    server.flushAtEndOfTurn(self)
  }

  /// Sends what this turn of the loop produced.
  func flush() {
    guard isFlushScheduled else { return }
    isFlushScheduled = false
    tcp.write(&output)
    server.giveBack(output)
    output = []
    if isEnded { return }
    if tcp.queuedBytes > 0 {
      sendDeadline = sendDeadline ?? loop.now + limits.sendTimeout
    } else {
      sendDeadline = nil
    }
    wakeWriter()
    resumeIfPaused()
    renewDeadline()
  }

  func writable() {
    sendDeadline = nil
    wakeWriter()
    resumeIfPaused()
  }

  // MARK: - Time

  /// Gives what the client is to send next its time.
  private func renewDeadline() {
    let number = firstNumber + exchanges.count
    let next: Awaited =
      switch parser.phase {
      case .idle: exchanges.isEmpty && !isFlushScheduled ? .request(number) : .nothing
      case .head: .head(number)
      case .body: .body(number)
      }
    if next == awaited || isEnded { return }
    awaited = next
    readDeadline =
      switch next {
      case .nothing: nil
      case .request: loop.now + limits.idleTimeout
      case .head: loop.now + limits.headTimeout
      case .body: loop.now + limits.bodyTimeout
      }
  }

  /// Sheds a client that takes too long.
  func checkDeadlines() {
    if let sendDeadline, sendDeadline < loop.now { return abort() }
    guard let readDeadline, readDeadline < loop.now, !isLastTaken else { return }
    switch awaited {
    case .nothing, .request: close()
    case .head: refuse(HTTPRefusal(.requestTimeout, "The request's head took too long to arrive."))
    case .body: refuse(HTTPRefusal(.requestTimeout, "The request's body took too long to arrive."))
    }
  }

  // MARK: - End

  /// Closes when nothing is under way; otherwise the last response closes. Producers are told by cancellation.
  func drain() {
    if exchanges.isEmpty, parser.phase == .idle, !isFlushScheduled { return close() }
    for exchange in exchanges where exchange.writer != nil { exchange.task?.cancel() }
  }

  func closeAfterOutput() {
    isLastTaken = true
    dropExchanges()
    flush()
    close()
  }

  /// Ends the connection so that the client knows that the response is not whole.
  func cut(_ context: ResponseEncoder.Context) {
    isLastTaken = true
    dropExchanges()
    if context.isVersion10 { tcp.reset() } else { flush() }
    close()
  }

  private func dropExchanges() {
    let dropped = exchanges
    exchanges = []
    for exchange in dropped {
      server.held.add(-exchange.bodyBytes)
      exchange.writer?.end()
      exchange.task?.cancel()
    }
  }

  private func close() {
    if isEnded { return }
    end()
    tcp.close()
  }

  /// Cuts the connection; the handlers' tasks are cancelled.
  func abort() {
    if isEnded { return }
    end()
    tcp.abort()
  }

  func closed(_ error: IOError?) { end() }

  /// Leaves the connection to another protocol, whose bytes that have come are given to it after this.
  func leave(to successor: any ServedConnection) -> [UInt8] {
    isEnded = true
    server.held.add(-arrivingBytes)
    arrivingBytes = 0
    self.successor = successor
    server.replace(self, by: successor)
    return unread
  }

  private func end() {
    if isEnded { return }
    isEnded = true
    dropExchanges()
    server.held.add(-arrivingBytes)
    arrivingBytes = 0
    unread = []
    readDeadline = nil
    sendDeadline = nil
    server.ended(self)
  }
}
