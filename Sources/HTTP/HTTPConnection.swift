internal import EventLoop

/// One client's connection: requests in, responses out in the same order.
// Confined to its server's event loop.
final class HTTPConnection: TCPConnectionDelegate, @unchecked Sendable {
  /// A request in work and, later, its response that waits for those before it.
  private struct Exchange {
    var context: ResponseEncoder.Context
    var task: Task<Void, Never>?
    var response: HTTPResponse?
  }

  /// What the client is to send next; the number is the request's.
  private enum Awaited: Equatable {
    /// Nothing: a response is due first.
    case nothing
    case request(Int)
    case head(Int)
    case body(Int)
  }

  private let server: HTTPServer
  private let tcp: TCPConnection
  private var parser: RequestParser
  /// Oldest first; `firstNumber` is the number of the first.
  private var exchanges: [Exchange] = []
  private var firstNumber = 0
  private var output: [UInt8] = []
  private var isFlushScheduled = false
  /// What was read before the client was stopped, because it has too much in work.
  private var unread: [UInt8] = []
  private var isPaused = false
  /// No request after those in work is taken; what still arrives is dropped.
  private var isLastTaken = false
  private var owesContinue = false
  private var isEnded = false
  private var awaited = Awaited.request(0)
  private var readDeadline: LoopInstant?
  private var sendDeadline: LoopInstant?
  private var peer: String?

  init(server: HTTPServer, tcp: TCPConnection) {
    self.server = server
    self.tcp = tcp
    parser = RequestParser(limits: server.limits)
  }

  private var loop: EventLoop { server.loop }
  private var limits: HTTPLimits { server.limits }

  func start() {
    tcp.delegate = self
    readDeadline = loop.now + limits.idleTimeout
    tcp.start()
  }

  // MARK: - Bytes in

  func received(_ bytes: borrowing RawSpan) {
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
    renewDeadline()
  }

  private var isFull: Bool {
    exchanges.count >= limits.pipelineDepthMax || tcp.queuedBytes + output.count > limits.unsentBytesMax
  }

  private func resumeIfPaused() {
    guard isPaused, !isFull, !isEnded else { return }
    isPaused = false
    let bytes = unread
    unread = []
    received(bytes.span.bytes)
    if !isPaused, !isEnded { tcp.resumeReading() }
  }

  private func take(_ head: RequestHead, _ body: [UInt8]) {
    owesContinue = false
    let context = ResponseEncoder.Context(
      isHead: head.method == .head, isVersion10: head.isVersion10, keepsAlive: head.keepsAlive)
    if !head.keepsAlive { isLastTaken = true }
    let number = firstNumber + exchanges.count
    exchanges.append(Exchange(context: context))
    guard server.beginRequest() else {
      return respond(to: number, server.refuse(HTTPRefusal(.serviceUnavailable, "This server has too much to do.")))
    }
    let request = HTTPRequest(head: head, body: body, peer: peerAddress())
    let handler = server.handler
    let task = loop.startTask {
      let response = await handler(request)
      self.server.endRequest()
      self.respond(to: number, response)
    }
    let index = number - firstNumber
    if exchanges.indices.contains(index) { exchanges[index].task = task }
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

  // MARK: - Responses out

  private func respond(to number: Int, _ response: HTTPResponse) {
    let index = number - firstNumber
    guard !isEnded, exchanges.indices.contains(index) else { return }
    exchanges[index].response = response
    exchanges[index].task = nil
    while let exchange = exchanges.first, let response = exchange.response, !isEnded {
      exchanges.removeFirst()
      firstNumber += 1
      send(response, exchange.context)
    }
    if exchanges.isEmpty {
      if exchanges.capacity > 4 { exchanges = [] }
      if owesContinue { askForBody() }
    }
  }

  private func send(_ response: HTTPResponse, _ context: ResponseEncoder.Context) {
    var context = context
    if server.isDraining, exchanges.isEmpty { context.keepsAlive = false }
    if !isFlushScheduled { output = server.takeBuffer() }
    server.encode(response, context, to: &output)
    scheduleFlush()
    if !context.keepsAlive { closeAfterOutput() }
  }

  private func askForBody() {
    owesContinue = !exchanges.isEmpty
    if owesContinue { return }
    output.append(contentsOf: ResponseEncoder.continue)
    scheduleFlush()
  }

  private func scheduleFlush() {
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
    resumeIfPaused()
    renewDeadline()
  }

  func writable() {
    sendDeadline = nil
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

  /// Closes when nothing is under way; otherwise the last response closes.
  func drain() {
    if exchanges.isEmpty, parser.phase == .idle, !isFlushScheduled { close() }
  }

  private func closeAfterOutput() {
    for exchange in exchanges { exchange.task?.cancel() }
    exchanges = []
    flush()
    close()
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

  private func end() {
    if isEnded { return }
    isEnded = true
    for exchange in exchanges { exchange.task?.cancel() }
    exchanges = []
    unread = []
    readDeadline = nil
    sendDeadline = nil
    server.ended(self)
  }
}
