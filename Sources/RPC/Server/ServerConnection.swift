internal import EventLoop
internal import Wire

/// One client's connection: performs what the state machine decides.
// Confined to its event loop; the TCP connection calls it there.
final class ServerConnection: TCPConnectionDelegate, @unchecked Sendable {
  /// Bytes that wait to go out before no more requests are read.
  private static let queuedBytesMax = 1 << 20
  /// How long a client has to answer that it knows of our leaving.
  private static let leavingTimeout: Duration = .seconds(1)

  let tcp: TCPConnection
  let opened: LoopInstant
  private let server: RPCServer
  private(set) var machine: ServerConnectionStateMachine<CallContext>
  private var decoder: FrameDecoder
  private let output: FrameOutput
  /// The streaming calls; nil before the greetings.
  private(set) var link: StreamLink?
  private var keepalive: Keepalive
  private var pings: PingPolicy
  private var peerPayloadBytesMax = 0
  private var helloTimer: LoopTimer?
  private var leavingTimer: LoopTimer?
  private var departure: Departure?
  /// No deadline of an open call is earlier.
  private var earliestDeadline = LoopInstant(nanoseconds: .max)
  /// What the client calls itself; empty when it does not say.
  private(set) var peerName = ""
  /// What went over the connection so far.
  private(set) var traffic = Traffic()

  /// Why a connection takes no new calls, and when it will be closed at the latest.
  private struct Departure {
    let reason: GoAwayReason
    let text: String
    let end: LoopInstant
  }

  /// Figures of a connection.
  struct Traffic {
    var calls: UInt64 = 0
    var bytesReceived: UInt64 = 0
  }

  init(tcp: TCPConnection, server: RPCServer) {
    self.tcp = tcp
    self.server = server
    opened = tcp.loop.now
    output = FrameOutput(tcp)
    machine = ServerConnectionStateMachine(hello: server.hello)
    decoder = FrameDecoder(payloadLimit: server.limits.payloadBytesMax)
    keepalive = Keepalive(server.limits.keepalive, now: tcp.loop.now)
    pings = PingPolicy(intervalMin: server.limits.pingIntervalMin)
    helloTimer = tcp.loop.schedule(after: server.limits.helloTimeout) {
      self.close(.protocolViolation, "no hello within \(server.limits.helloTimeout)")
    }
  }

  /// Whether a drain has nothing left to wait for.
  var isDrained: Bool { machine.isDrained }

  var hasOpenCalls: Bool { !machine.calls.isEmpty }

  /// Bytes that were sent, or wait to be.
  var bytesSent: UInt64 { output.total }

  // MARK: Bytes in

  func received(_ bytes: borrowing RawSpan) {
    keepalive.heard(at: tcp.loop.now)
    traffic.bytesReceived &+= UInt64(bytes.byteCount)
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

  func writable() {
    tcp.resumeReading()
    link?.sendWaiting()
  }

  func closed(_ error: IOError?) { ended() }

  func plaintextAnswer(to bytes: borrowing RawSpan) -> [UInt8] {
    let first = bytes.byteCount < 4 ? 0 : bytes.littleEndian(at: 0, as: UInt32.self)
    var answer: [UInt8] = []
    FrameHeader(kind: .goAway, code: GoAwayReason.notEncrypted.rawValue)
      .append(payload: Array(FrameError.notEncrypted(first: first).description.utf8), to: &answer)
    return answer
  }

  private func perform(
    _ action: ServerConnectionStateMachine<CallContext>.Action, _ header: FrameHeader, _ payload: RawSpan
  ) {
    switch action {
    case .ignore: break
    case .greet(let peer): greet(peer)
    case .start(let stream, let method, let milliseconds):
      start(stream, method, milliseconds, header, payload)
    case .stream(let isOpen): streamFrameReceived(header, payload, isOpen: isOpen)
    case .refuse(let stream, let error): refuse(stream: stream, error)
    case .cancel(let context):
      noteEnd(of: context, .cancelled)
      stop(context)
    case .pong(let value): pingReceived(value)
    case .drain: drainNow()
    case .close(let reason, let text): close(reason, text)
    }
  }

  private func greet(_ peer: Hello) {
    helloTimer?.cancel()
    peerName = peer.metadata["name"] ?? ""
    if let problem = server.credentialProblem(peer.metadata["token"]) { return close(.unauthenticated, problem) }
    peerPayloadBytesMax = Int(peer.payloadBytesMax)
    keepalive = Keepalive(
      server.limits.keepalive, now: tcp.loop.now, peerIntervalMin: .milliseconds(peer.pingIntervalMillisecondsMin))
    link = StreamLink(output: output, ours: server.hello, peer: peer)
    output.append(server.hello)
  }

  private func pingReceived(_ value: UInt32) {
    if pings.pingReceived(at: tcp.loop.now) {
      output.append(FrameHeader(kind: .pong, value: value))
    } else {
      close(.tooManyPings, "a ping every \(server.limits.pingIntervalMin) is enough, as the hello says")
    }
  }

  private func start(
    _ stream: UInt32, _ id: UInt16, _ milliseconds: UInt32, _ header: FrameHeader, _ payload: RawSpan
  ) {
    guard let method = server.method(id) else {
      return refuse(
        stream: stream,
        RPCError(.unimplemented, "this server has no method \(id >> 8).\(id & 0xFF); see its reflection"))
    }
    traffic.calls &+= 1
    keepalive.called(at: tcp.loop.now)
    method.statistics.callStarted()
    if let problem = method.shapeProblem(header.flags) {
      return refuse(stream: stream, RPCError(.unimplemented, problem, reason: "SHAPE_MISMATCH"), method)
    }
    guard milliseconds > 0 else {
      return refuse(stream: stream, RPCError(.deadlineExceeded, "the call came after its deadline"), method)
    }
    var metadata = Metadata()
    var bodyStart = 0
    if header.flags.contains(.metadata) {
      guard let decoded = Metadata.decode(payload) else {
        return refuse(
          stream: stream, RPCError(.invalidArgument, "the request's metadata cannot be decoded"), method)
      }
      (metadata, bodyStart) = decoded
    }
    let timeout = min(milliseconds, server.timeoutMillisecondsMax(of: method))
    let context = CallContext(
      loop: tcp.loop, deadline: tcp.loop.now.adding(milliseconds: timeout), metadata: metadata, stream: stream,
      method: method, connection: self)
    if let problem = server.refusal(of: context) { return refuse(stream: stream, problem, method) }
    guard context.admitsCaller(method.definition.access) else { return }
    method.definition.start(payload.extracting(bodyStart..<payload.byteCount), context)
  }

  private func streamFrameReceived(_ header: FrameHeader, _ payload: RawSpan, isOpen: Bool) {
    guard let link else { return }
    switch link.received(header, payload, isOpen: isOpen) {
    case .done: break
    case .violation(let text): close(.protocolViolation, text)
    case .failed(let error):
      guard let context = machine.calls[header.stream] else { return }
      answer(context, error)
      stop(context)
    }
  }

  // MARK: Calls

  /// The handler did not answer at once, or is about to start on its streams: from now on the call can be cancelled, and
  /// its time run out.
  func callBegan(_ context: CallContext) {
    machine.callStarted(context, stream: context.stream)
    if context.isStreaming {
      link?.callBegan(context.stream, inbound: context.inbound, outbound: context.outbound)
    }
    if context.deadline < earliestDeadline { earliestDeadline = context.deadline }
    server.watchDeadlines()
  }

  /// A handler whose call has begun returned.
  func handlerEnded(_ context: CallContext) {
    machine.handlerEnded()
    if machine.isDrained { server.connectionDrained(self) }
  }

  func answer(_ context: CallContext, _ append: (inout [UInt8]) -> Void) {
    guard takeAnswer(of: context) else { return }
    let size = respond(
      stream: context.stream, .ok, context.responseMetadata, payloadMax: peerPayloadBytesMax, append)
    guard let size else { return noteEnd(of: context, .ok) }
    let text = "the response has \(size) bytes, and the caller accepts \(peerPayloadBytesMax)"
    let error = RPCError(.resourceExhausted, text, reason: "RESPONSE_TOO_LARGE")
    noteEnd(of: context, error.code)
    refuse(stream: context.stream, error)
  }

  func answer(_ context: CallContext, _ error: RPCError) {
    guard takeAnswer(of: context) else { return }
    noteEnd(of: context, error.code)
    respond(stream: context.stream, error, context.responseMetadata)
  }

  /// Answers a handler's error that is no status: the caller learns nothing of it, the log everything.
  func answerUnexpected(_ context: CallContext, _ error: any Error) {
    server.report(error, context)
    answer(context, RPCError(.internal, "the server failed to answer; its log says why"))
  }

  /// Answers a call that was never started.
  func refuse(stream: UInt32, _ error: RPCError, _ method: ServerMethod? = nil) {
    method?.statistics.callEnded(error.code, after: .zero)
    respond(stream: stream, error)
  }

  /// Ends the calls whose time is up.
  func expireCalls(now: LoopInstant) {
    if now < earliestDeadline { return }
    earliestDeadline = LoopInstant(nanoseconds: .max)
    for context in machine.calls.values {
      if context.deadline <= now {
        answer(context, RPCError(.deadlineExceeded, "the deadline passed before the answer was ready"))
        stop(context)
      } else if context.deadline < earliestDeadline {
        earliestDeadline = context.deadline
      }
    }
  }

  /// Whether the answer of the call is still due; it is not any more then.
  private func takeAnswer(of context: CallContext) -> Bool {
    guard context.isStreaming else {
      return context.task == nil || machine.callAnswered(stream: context.stream) != nil
    }
    guard machine.callAnswered(stream: context.stream) != nil else { return false }
    link?.callFailed(context.stream, CancellationError())
    return true
  }

  private func noteEnd(of context: CallContext, _ status: StatusCode) {
    context.method?.statistics.callEnded(status, after: tcp.loop.now - context.began)
    server.callEnded(context, status)
  }

  /// Stops a handler whose answer is not due any more.
  private func stop(_ context: CallContext) {
    link?.callFailed(context.stream, CancellationError())
    context.task?.cancel()
  }

  // MARK: The end

  /// Looks whether the client is still there.
  func checkLiveness(now: LoopInstant) {
    guard machine.phase == .open else { return }
    switch keepalive.check(now: now, openCalls: machine.calls.count) {
    case .nothing: break
    case .ping(let value): output.append(FrameHeader(kind: .ping, value: value))
    case .lost: abort()
    case .idle: drain(.idle, within: server.limits.drainTimeout, "no call for a long time")
    }
  }

  /// Takes no new calls once the client knows, or has had time to.
  func drain(_ reason: GoAwayReason = .shutdown, within time: Duration, _ text: String = "") {
    departure = Departure(reason: reason, text: text, end: tcp.loop.now + time)
    guard machine.leave() else { return drainNow() }
    sendGoAway(reason, text, stream: .max, milliseconds: UInt32(clamping: time.millisecondsRoundedUp))
    output.append(
      FrameHeader(kind: .ping, value: ServerConnectionStateMachine<CallContext>.leavingPing))
    leavingTimer = tcp.loop.schedule(after: min(Self.leavingTimeout, time / 4)) { self.drainNow() }
  }

  /// Takes no new calls, and says which was the last.
  private func drainNow() {
    leavingTimer?.cancel()
    guard let departure, machine.phase != .draining, machine.phase != .closed else { return }
    machine.drain()
    let left = departure.end.milliseconds(since: tcp.loop.now)
    sendGoAway(departure.reason, departure.text, stream: machine.lastStream, milliseconds: UInt32(clamping: left))
    if machine.isDrained { server.connectionDrained(self) }
  }

  /// Ends the streams of a connection that drains: they might go on for ever.
  func endStreams() {
    for context in machine.calls.values where context.isStreaming {
      answer(context, RPCError(.unavailable, "the server is shutting down; begin again elsewhere", reason: "DRAINING"))
      stop(context)
    }
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

  /// Says why, and closes.
  func close(_ reason: GoAwayReason, _ text: String) {
    sendGoAway(reason, text, stream: machine.lastStream, milliseconds: 0)
    closeDrained()
  }

  private func sendGoAway(_ reason: GoAwayReason, _ text: String, stream: UInt32, milliseconds: UInt32) {
    output.append(
      FrameHeader(kind: .goAway, stream: stream, code: reason.rawValue, value: milliseconds), payload: Array(text.utf8))
  }

  private func ended() {
    helloTimer?.cancel()
    leavingTimer?.cancel()
    for context in machine.connectionClosed() {
      noteEnd(of: context, .cancelled)
      context.task?.cancel()
    }
    link?.connectionClosed(CancellationError())
    server.connectionEnded(self)
  }

  /// Sends an error with all its details, with its reason alone, or bare: what the peer accepts.
  private func respond(stream: UInt32, _ error: RPCError, _ metadata: Metadata = [:]) {
    let whole = error.details
    let excess = respond(stream: stream, error.code, metadata, payloadMax: peerPayloadBytesMax) {
      whole.append(to: &$0)
    }
    if excess == nil { return }
    let short = ErrorDetails(reason: whole.reason, retryAfterMilliseconds: whole.retryAfterMilliseconds)
    let stillExcess = respond(stream: stream, error.code, [:], payloadMax: peerPayloadBytesMax) {
      short.append(to: &$0)
    }
    if stillExcess != nil { _ = respond(stream: stream, error.code, [:]) { _ in } }
  }

  /// - Returns: nil, or the size of a response that is too long to be sent.
  private func respond(
    stream: UInt32, _ status: StatusCode, _ metadata: Metadata, payloadMax: Int = .max,
    _ appendBody: (inout [UInt8]) -> Void
  ) -> Int? {
    if output.backlog > server.limits.backlogBytesMax { server.slowReader(self) }
    return output.append(
      FrameHeader(kind: .response, stream: stream, code: status.rawValue), metadata.fits ? metadata : [:],
      payloadMax: payloadMax, appendBody)
  }
}
