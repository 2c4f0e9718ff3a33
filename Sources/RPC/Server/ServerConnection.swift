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
  private let output: FrameOutput
  private var peerPayloadBytesMax = 0
  private var helloTimer: LoopTimer?

  init(tcp: TCPConnection, server: RPCServer) {
    self.tcp = tcp
    self.server = server
    output = FrameOutput(tcp)
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
      output.append(server.hello)
    case .start(let stream, let method, let milliseconds):
      start(stream, method, milliseconds, header, payload)
    case .refuse(let stream, let error): refuse(stream: stream, error)
    case .cancel(let context): context.task?.cancel()
    case .pong(let value): output.append(FrameHeader(kind: .pong, value: value))
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
    let size = respond(
      stream: context.stream, .ok, context.responseMetadata, payloadMax: peerPayloadBytesMax, append)
    guard let size else { return }
    let text = "the response has \(size) bytes, and the caller accepts \(peerPayloadBytesMax)"
    refuse(stream: context.stream, RPCError(.resourceExhausted, text, reason: "RESPONSE_TOO_LARGE"))
  }

  func answer(_ context: CallContext, _ error: RPCError) {
    guard takeAnswer(of: context) else { return }
    _ = respond(stream: context.stream, error.code, context.responseMetadata) { error.details.append(to: &$0) }
  }

  /// Answers a handler's error that is no status: the caller learns nothing of it, the log everything.
  func answerUnexpected(_ context: CallContext, _ error: any Error) {
    server.report(error, context)
    answer(context, RPCError(.internal, "the server failed to answer; its log says why"))
  }

  /// Answers a call that was never started.
  func refuse(stream: UInt32, _ error: RPCError) {
    _ = respond(stream: stream, error.code, [:]) { error.details.append(to: &$0) }
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
    output.append(FrameHeader(kind: .goAway, stream: machine.lastStream, code: GoAwayReason.shutdown.rawValue))
    if machine.isDrained { server.connectionDrained(self) }
  }

  /// Closes after what was answered has gone out.
  func closeDrained() {
    output.flush()
    tcp.close()
    ended()
  }

  /// Closes at once; handlers are cancelled.
  func abort() {
    tcp.abort()
    ended()
  }

  private func close(_ reason: GoAwayReason, _ text: String) {
    output.append(
      FrameHeader(kind: .goAway, stream: machine.lastStream, code: reason.rawValue), payload: Array(text.utf8))
    closeDrained()
  }

  private func ended() {
    helloTimer?.cancel()
    for context in machine.connectionClosed() { context.task?.cancel() }
    server.connectionEnded(self)
  }

  /// - Returns: nil, or the size of a response that is too long to be sent.
  private func respond(
    stream: UInt32, _ status: StatusCode, _ metadata: Metadata, payloadMax: Int = .max,
    _ appendBody: (inout [UInt8]) -> Void
  ) -> Int? {
    output.append(
      FrameHeader(kind: .response, stream: stream, code: status.rawValue), metadata.fits ? metadata : [:],
      payloadMax: payloadMax, appendBody)
  }
}
