internal import EventLoop

/// One client's connection by HTTP/2: performs what its session says, runs the handlers, and keeps time.
// Confined to its server's event loop.
final class HTTP2Connection: ServedConnection, @unchecked Sendable {
  private static let lingerTime: Duration = .seconds(1)

  /// What a client has to take of a response within `HTTPLimits.sendTimeout`, or all of it.
  private static let progressBytes = 1_024

  let server: HTTPServer
  let tcp: TCPConnection
  let session: HTTP2Session
  private var output: [UInt8] = []
  private var isFlushScheduled = false
  private(set) var isEnded = false
  /// Handlers that run, those of streams that are over included.
  var runningCount = 0
  private var checked: LoopInstant
  private let greetingDeadline: LoopInstant
  private var headDeadline: LoopInstant?
  private var idleDeadline: LoopInstant?
  private var sendDeadline: LoopInstant?
  /// Until when the client may take to read that the connection will end; then no more requests are taken.
  private var noticeDeadline: LoopInstant?
  private var hasLeft = false
  private(set) lazy var peer = tcp.peer

  init(server: HTTPServer, tcp: TCPConnection) {
    self.server = server
    self.tcp = tcp
    session = HTTP2Session(limits: server.limits, held: server.held, heldResponses: server.heldResponses)
    checked = server.loop.now
    greetingDeadline = checked + server.limits.headTimeout
  }

  var loop: EventLoop { server.loop }
  var limits: HTTPLimits { server.limits }

  /// Takes the connection over; its first bytes follow.
  func start() {
    tcp.delegate = self
    if server.isDraining { drain() }
    scheduleFlush()
  }

  // MARK: - Bytes

  func received(_ bytes: borrowing RawSpan) {
    session.receive(bytes)
    performEvents()
    scheduleFlush()
  }

  func scheduleFlush() {
    if isFlushScheduled || isEnded { return }
    isFlushScheduled = true
    server.flushAtEndOfTurn(self)
  }

  /// Sends what the session has to say, as much as may lie unsent.
  func flush() {
    guard isFlushScheduled else { return }
    isFlushScheduled = false
    if isEnded { return }
    output = server.takeBuffer()
    session.appendOutput(to: &output, bytesMax: limits.unsentBytesMax - tcp.queuedBytes)
    tcp.write(&output)
    server.giveBack(output)
    output = []
    performEvents()
    if session.isOver { return close() }
    if tcp.queuedBytes > 0 {
      sendDeadline = sendDeadline ?? loop.now + limits.sendTimeout
      if tcp.queuedBytes >= limits.unsentBytesMax { tcp.pauseReading() }
    } else {
      sendDeadline = nil
      if session.wantsToSend { scheduleFlush() }
    }
    renewIdleDeadline()
  }

  func writable() {
    sendDeadline = nil
    tcp.resumeReading()
    scheduleFlush()
  }

  func closed(_ error: IOError?) { end() }

  func plaintextAnswer(to bytes: borrowing RawSpan) -> [UInt8] { [] }

  // MARK: - Events

  private func performEvents() {
    while !isEnded {
      let events = session.takeEvents()
      if events.isEmpty { return }
      for event in events {
        switch event {
        case .head(let stream): headReceived(stream)
        case .requestEnded(let stream): requestEnded(stream)
        case .bodyRefused(let stream, let refusal): refuse(stream, refusal)
        case .closed(let stream): streamClosed(stream)
        case .pong: leave()
        }
      }
    }
  }

  private func headReceived(_ stream: HTTP2Stream) {
    if stream.isClosed { return }
    var builder = HTTP2HeadBuilder(limits: limits)
    swap(&builder, &stream.head)
    stream.isHead = builder.isHead
    do throws(HTTPRefusal) {
      let head = try builder.finish(hasBody: stream.isRequestOpen)
      if case .length(let length) = head.framing, length > limits.bodyBytesMax {
        throw .bodyTooLarge(limits.bodyBytesMax)
      }
      guard stream.isRequestOpen else { return begin(stream, head) }
      stream.requestHead = head
      stream.bodyDeadline = loop.now + limits.bodyTimeout
      if head.expectsContinue, stream.body.isEmpty { session.askForBody(stream) }
    } catch {
      refuse(stream, error)
    }
  }

  private func requestEnded(_ stream: HTTP2Stream) {
    stream.bodyDeadline = nil
    guard !stream.isClosed, !stream.isRequestDropped, let head = stream.requestHead.take() else { return }
    begin(stream, head)
  }

  private func streamClosed(_ stream: HTTP2Stream) {
    stream.writer?.end()
    stream.writer = nil
    if let task = stream.task { task.cancel() } else { session.release(stream) }
    stream.body = []
  }

  // MARK: - Time

  func checkDeadlines() {
    let now = loop.now
    session.elapsed(seconds: (now - checked) / .seconds(1))
    checked = now
    if let sendDeadline, sendDeadline < now { return abort() }
    if !session.isGreeted, greetingDeadline < now { return close() }
    headDeadline = session.isInHeaderBlock ? headDeadline ?? now + limits.headTimeout : nil
    if let headDeadline, headDeadline < now { session.terminate(.enhanceYourCalm) }
    if let noticeDeadline, noticeDeadline < now { leave() }
    if let idleDeadline, idleDeadline < now { goAway() }
    for stream in session.streams.values { checkDeadlines(of: stream, now) }
    if session.wantsToSend { scheduleFlush() }
  }

  private func checkDeadlines(of stream: HTTP2Stream, _ now: LoopInstant) {
    if let deadline = stream.bodyDeadline, deadline < now {
      return refuse(stream, HTTPRefusal(.requestTimeout, "The request's body took too long to arrive."))
    }
    if stream.isAnswered, stream.isRequestOpen { linger(stream, now) }
    if stream.output.count == 0 {
      stream.lastProgress = nil
    } else if let last = stream.lastProgress, stream.sentBytes < Self.progressBytes {
      // A client that takes a byte now and then holds on to what it does not read.
      if now - last > limits.sendTimeout { session.reset(stream.id, .cancel) }
    } else {
      (stream.lastProgress, stream.sentBytes) = (now, 0)
    }
  }

  /// Leaves a client that was answered before its request was over the time to read that; what it sends is dropped. Then the
  /// rest does not matter (RFC 9113 section 8.1). A reset that comes with the answer makes some clients lose it.
  private func linger(_ stream: HTTP2Stream, _ now: LoopInstant) {
    guard let deadline = stream.lingerDeadline else {
      stream.lingerDeadline = now + Self.lingerTime
      return
    }
    if deadline < now { session.reset(stream.id, .noError) }
  }

  private func renewIdleDeadline() {
    let isIdle = session.streams.isEmpty && runningCount == 0
    idleDeadline = isIdle ? idleDeadline ?? loop.now + limits.idleTimeout : nil
  }

  // MARK: - End

  /// Tells the client to go, takes what it has sent until it knows, and ends with the last response. Producers are told by
  /// cancellation.
  func drain() {
    if noticeDeadline != nil || hasLeft { return }
    noticeDeadline = loop.now + limits.drainTimeout / 10
    session.announceEnd()
    for stream in session.streams.values where stream.writer != nil { stream.task?.cancel() }
    scheduleFlush()
  }

  /// Takes no more requests, now that the client knows that the connection ends.
  private func leave() {
    if noticeDeadline != nil { goAway() }
  }

  private func goAway() {
    if hasLeft { return }
    hasLeft = true
    noticeDeadline = nil
    session.leave()
    scheduleFlush()
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

  private func end() {
    if isEnded { return }
    isEnded = true
    for stream in session.streams.values {
      stream.isClosed = true
      streamClosed(stream)
    }
    // What was closed by the last bytes that were sent, and of which nobody was told.
    for case .closed(let stream) in session.takeEvents() { streamClosed(stream) }
    server.ended(self)
  }
}
