internal import EventLoop

/// One client's connection after its upgrade to WebSocket: performs what its session says, runs the handler, keeps time.
// Confined to its server's event loop.
final class WebSocketConnection: ServedConnection, @unchecked Sendable {
  private let server: HTTPServer
  private let tcp: TCPConnection
  private let session: WebSocketSession
  private var socket: WebSocket?
  private var task: Task<Void, Never>?
  private var hasHandlerEnded = false
  private var isFlushScheduled = false
  private var isPaused = false
  private var isEnded = false
  private var lastHeard: LoopInstant
  private var isPinged = false
  private var closeDeadline: LoopInstant?
  private var sendDeadline: LoopInstant?

  init(server: HTTPServer, tcp: TCPConnection) {
    self.server = server
    self.tcp = tcp
    session = WebSocketSession(messageBytesMax: server.limits.webSocketMessageBytesMax)
    lastHeard = server.loop.now
  }

  private var limits: HTTPLimits { server.limits }

  /// Takes the connection over and runs `handler`; the request that it counts as ends with it.
  func start(subprotocol: String?, _ handler: @escaping WebSocket.Handler) {
    server.beginStream()
    tcp.delegate = self
    tcp.resumeReading()
    let socket = WebSocket(loop: server.loop, connection: self, subprotocol: subprotocol)
    self.socket = socket
    let task = server.loop.startTask {
      do {
        try await handler(socket)
        self.close(code: 1_000, reason: "")
      } catch {
        self.close(code: 1_011, reason: "")
      }
      self.handlerEnded()
    }
    if !hasHandlerEnded { self.task = task }
    if server.isDraining { drain() }
  }

  private func handlerEnded() {
    hasHandlerEnded = true
    task = nil
    server.endStream()
  }

  // MARK: - Bytes

  func received(_ bytes: borrowing RawSpan) {
    lastHeard = server.loop.now
    isPinged = false
    session.receive(bytes)
    for event in session.takeEvents() {
      switch event {
      case .message(let message): socket?.messageReceived(message)
      case .closed(let code, let reason): socket?.finished(code: code, reason: reason)
      }
    }
    if !session.isOpen || !session.isReading { closing() }
    scheduleFlush()
    pauseIfFull()
  }

  private func pauseIfFull() {
    guard !isEnded, socket?.isFull ?? false || tcp.queuedBytes > limits.unsentBytesMax, session.isReading else {
      return
    }
    isPaused = true
    tcp.pauseReading()
  }

  /// The handler has taken a message.
  func messageTaken() { resumeIfPaused() }

  private func resumeIfPaused() {
    guard isPaused, !isEnded, !(socket?.isFull ?? false), tcp.queuedBytes <= limits.unsentBytesMax else { return }
    isPaused = false
    lastHeard = server.loop.now
    tcp.resumeReading()
  }

  private func scheduleFlush() {
    if isFlushScheduled || isEnded { return }
    isFlushScheduled = true
    server.flushAtEndOfTurn(self)
  }

  func flush() {
    guard isFlushScheduled else { return }
    isFlushScheduled = false
    if isEnded { return }
    tcp.write(&session.output)
    if session.output.capacity > 4_096 { session.output = [] }
    sendDeadline = tcp.queuedBytes > 0 ? sendDeadline ?? server.loop.now + limits.sendTimeout : nil
    // A client that broke the protocol is not listened to any more, not even for its goodbye (RFC 6455 section 7.1.7).
    if session.hasSentClose, session.hasReceivedClose || !session.isReading { return closeTCP() }
    if hasRoom { socket?.wakeSenders() }
  }

  func writable() {
    sendDeadline = nil
    socket?.wakeSenders()
    resumeIfPaused()
  }

  // MARK: - What the handler wants

  var isOpen: Bool { !isEnded && session.isOpen && closeDeadline == nil }

  var hasRoom: Bool { tcp.queuedBytes + session.output.count < limits.unsentBytesMax }

  func send(_ message: WebSocketMessage) {
    session.send(message)
    scheduleFlush()
  }

  func close(code: UInt16, reason: String) {
    if isEnded { return }
    session.close(code: code, reason: reason)
    closing()
    scheduleFlush()
  }

  /// We have said that nothing more comes: the client has some time to say so too.
  private func closing() {
    if closeDeadline == nil { closeDeadline = server.loop.now + limits.webSocketCloseTimeout }
    socket?.finished(code: session.sentCode, reason: "")
    if isPaused {
      isPaused = false
      tcp.resumeReading()
    }
  }

  // MARK: - Time

  func checkDeadlines() {
    let now = server.loop.now
    if let sendDeadline, sendDeadline < now { return abort() }
    if let closeDeadline, closeDeadline < now { return closeTCP() }
    if isPaused || closeDeadline != nil { return }
    let silence = now - lastHeard
    if silence > limits.webSocketPingInterval * 2 {
      abort()
    } else if silence > limits.webSocketPingInterval, !isPinged {
      isPinged = true
      session.ping()
      scheduleFlush()
    }
  }

  // MARK: - End

  func drain() {
    close(code: 1_001, reason: "")
    task?.cancel()
  }

  func closed(_ error: IOError?) { end() }

  func abort() {
    if isEnded { return }
    end()
    tcp.abort()
  }

  private func closeTCP() {
    if isEnded { return }
    end()
    tcp.close()
  }

  private func end() {
    if isEnded { return }
    isEnded = true
    socket?.finished(code: 1_006, reason: "")
    socket = nil
    task?.cancel()
    server.ended(self)
  }
}
