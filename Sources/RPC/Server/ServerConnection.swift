internal import EventLoop
internal import Wire

/// One client's connection: performs what the state machine decides.
// Confined to its event loop; the TCP connection calls it there.
final class ServerConnection: TCPConnectionDelegate, @unchecked Sendable {
  /// Bytes that wait to go out before no more requests are read.
  private static let queuedBytesMax = 1 << 20

  let tcp: TCPConnection
  private let server: RPCServer
  private var machine: ServerConnectionStateMachine<CallContext>
  private var decoder: FrameDecoder
  private var output: [UInt8] = []
  private var isFlushing = false
  private var peerPayloadBytesMax = 0
  private var helloTimer: LoopTimer?

  init(tcp: TCPConnection, server: RPCServer) {
    self.tcp = tcp
    self.server = server
    machine = ServerConnectionStateMachine(hello: server.hello)
    decoder = FrameDecoder(payloadLimit: server.limits.payloadBytesMax)
    helloTimer = tcp.loop.schedule(after: server.limits.helloTimeout) { [weak self] in
      self?.close(.protocolViolation, "no hello within \(server.limits.helloTimeout)")
    }
  }

  /// Whether a drain has nothing left to wait for.
  var isDrained: Bool { machine.isDrained }

  var hasOpenCalls: Bool { !machine.calls.isEmpty }

  // MARK: Bytes in

  func received(_ bytes: borrowing RawSpan) {
    do throws(FrameError) {
      try decoder.decode(bytes) { header, payload in
        perform(machine.frameReceived(header, payload), header, payload)
        return machine.phase != .closed
      }
    } catch {
      close(.protocolViolation, error.description)
    }
    if tcp.queuedBytes > Self.queuedBytesMax { tcp.pauseReading() }
  }

  func writable() { tcp.resumeReading() }

  func closed(_ error: IOError?) { ended() }

  private func perform(
    _ action: ServerConnectionStateMachine<CallContext>.Action, _ header: FrameHeader, _ payload: RawSpan
  ) {
    switch action {
    case .ignore: break
    case .greet(let peer):
      helloTimer?.cancel()
      peerPayloadBytesMax = Int(peer.payloadBytesMax)
      server.hello.append(to: &output)
      flushAtEndOfTurn()
    case .start(let stream, let method, let milliseconds):
      start(stream, method, milliseconds, header, payload)
    case .refuse(let stream, let error): refuse(stream: stream, error)
    case .cancel(let context): context.task?.cancel()
    case .pong(let value):
      FrameHeader(kind: .pong, value: value).append(to: &output)
      flushAtEndOfTurn()
    case .close(let reason, let text): close(reason, text)
    }
  }

  private func start(
    _ stream: UInt32, _ method: UInt16, _ milliseconds: UInt32, _ header: FrameHeader, _ payload: RawSpan
  ) {
    guard let handler = server.handler(method) else {
      return refuse(
        stream: stream,
        RPCError(.unimplemented, "this server has no method \(method >> 8).\(method & 0xFF); see its reflection"))
    }
    guard milliseconds > 0 else {
      return refuse(stream: stream, RPCError(.deadlineExceeded, "the call came after its deadline"))
    }
    var metadata = Metadata()
    var bodyStart = 0
    if header.flags.contains(.metadata) {
      guard let decoded = Metadata.decode(payload) else {
        return refuse(stream: stream, RPCError(.invalidArgument, "the request's metadata cannot be decoded"))
      }
      (metadata, bodyStart) = decoded
    }
    let timeout = min(milliseconds, server.timeoutMillisecondsMax)
    let context = CallContext(
      loop: tcp.loop, deadline: tcp.loop.now.adding(milliseconds: timeout), metadata: metadata, stream: stream,
      method: method, connection: self)
    handler.start(payload.extracting(bodyStart..<payload.byteCount), context)
  }

  // MARK: Calls

  /// The handler did not answer at once: from now on the call can be cancelled, and its time run out.
  func handlerSuspended(_ context: CallContext) {
    machine.callStarted(context, stream: context.stream)
    server.watchDeadlines()
  }

  /// A handler that had suspended returned.
  func handlerEnded(_ context: CallContext) {
    machine.handlerEnded()
    if machine.isDrained { server.connectionDrained(self) }
  }

  /// Whether the answer of the call is still due; it is not any more then.
  private func takeAnswer(of context: CallContext) -> Bool {
    context.task == nil || machine.callAnswered(stream: context.stream) != nil
  }

  func answer(_ context: CallContext, _ append: (inout [UInt8]) -> Void) {
    guard takeAnswer(of: context) else { return }
    let start = output.count
    respond(stream: context.stream, .ok, context.responseMetadata, append)
    let size = output.count - start - FrameHeader.size
    if size > peerPayloadBytesMax {
      output.removeSubrange(start...)
      let text = "the response has \(size) bytes, and the caller accepts \(peerPayloadBytesMax)"
      refuse(stream: context.stream, RPCError(.resourceExhausted, text, reason: "RESPONSE_TOO_LARGE"))
    }
  }

  func answer(_ context: CallContext, _ error: RPCError) {
    guard takeAnswer(of: context) else { return }
    respond(stream: context.stream, error.code, context.responseMetadata) { error.details.append(to: &$0) }
  }

  /// Answers a handler's error that is no status: the caller learns nothing of it, the log everything.
  func answerUnexpected(_ context: CallContext, _ error: any Error) {
    server.report(error, context)
    answer(context, RPCError(.internal, "the server failed to answer; its log says why"))
  }

  /// Answers a call that was never started.
  func refuse(stream: UInt32, _ error: RPCError) {
    respond(stream: stream, error.code, [:]) { error.details.append(to: &$0) }
  }

  /// Ends the calls whose time is up.
  func expireCalls(now: LoopInstant) {
    for context in machine.calls.values where context.deadline <= now {
      answer(context, RPCError(.deadlineExceeded, "the deadline passed before the answer was ready"))
      context.task?.cancel()
    }
  }

  // MARK: The end

  /// Takes no new calls, and says so.
  func drain() {
    machine.drain()
    FrameHeader(kind: .goAway, stream: machine.lastStream, code: GoAwayReason.shutdown.rawValue).append(to: &output)
    flushAtEndOfTurn()
    if machine.isDrained { server.connectionDrained(self) }
  }

  /// Closes after what was answered has gone out.
  func closeDrained() {
    flush()
    tcp.close()
    ended()
  }

  /// Closes at once; handlers are cancelled.
  func abort() {
    tcp.abort()
    ended()
  }

  private func close(_ reason: GoAwayReason, _ text: String) {
    FrameHeader(kind: .goAway, stream: machine.lastStream, code: reason.rawValue).append(
      payload: Array(text.utf8), to: &output)
    closeDrained()
  }

  private func ended() {
    helloTimer?.cancel()
    for context in machine.connectionClosed() { context.task?.cancel() }
    server.connectionEnded(self)
  }

  // MARK: Bytes out

  private func respond(
    stream: UInt32, _ status: StatusCode, _ metadata: Metadata, _ appendBody: (inout [UInt8]) -> Void
  ) {
    let start = FrameHeader.reserve(in: &output)
    var flags: FrameHeader.Flags = []
    if !metadata.isEmpty, metadata.fits {
      flags = .metadata
      metadata.append(to: &output)
    }
    appendBody(&output)
    FrameHeader(kind: .response, stream: stream, flags: flags, code: status.rawValue).seal(in: &output, at: start)
    flushAtEndOfTurn()
  }

  private func flushAtEndOfTurn() {
    if isFlushing { return }
    isFlushing = true
    tcp.loop.atEndOfTurn { self.flush() }
  }

  private func flush() {
    isFlushing = false
    tcp.write(&output)
    if output.capacity > 65_536, !hasOpenCalls { output = [] }
  }
}
