internal import EventLoop
internal import Wire

/// One connection to a server: performs what the state machine decides.
// Confined to its event loop; the TCP connection calls it there.
final class ClientConnection: TCPConnectionDelegate, @unchecked Sendable {
  /// How often deadlines are looked at while calls are open.
  static let deadlineInterval: Duration = .milliseconds(10)

  private let tcp: TCPConnection
  private let address: String
  private let hello: Hello
  private let keepaliveOptions: Keepalive.Options
  private var machine: ClientConnectionStateMachine<PendingCall>
  private var decoder: FrameDecoder
  private let output: FrameOutput
  /// The calls with a stream; nil before the greetings.
  private var link: StreamLink?
  private var keepalive: Keepalive?
  private var pings: PingPolicy
  private var keepaliveTimer: LoopTimer?
  private var deadlineTimer: LoopTimer?
  /// No deadline of an open call is earlier.
  private var earliestDeadline = LoopInstant(nanoseconds: .max)
  private var onChange: ((Change) -> Void)?
  private var isRetired = false

  /// What the owner has to know.
  enum Change {
    /// Calls may begin.
    case opened
    /// No call may begin any more.
    case retired(RPCError)
    /// The server never saw these calls: they must be made again elsewhere. After `retired`, and perhaps long after: the
    /// server may first say that it leaves, and then which call was the last.
    case handedBack([PendingCall])
  }

  /// Greets the server; `onChange` is told once when calls may begin, once when the connection is of no more use, and of
  /// the calls that are to be made elsewhere.
  init(
    tcp: TCPConnection, address: String, hello: Hello, keepalive: Keepalive.Options,
    onChange: @escaping (Change) -> Void
  ) {
    self.tcp = tcp
    self.address = address
    self.hello = hello
    keepaliveOptions = keepalive
    self.onChange = onChange
    output = FrameOutput(tcp)
    pings = PingPolicy(intervalMin: .milliseconds(hello.pingIntervalMillisecondsMin))
    machine = ClientConnectionStateMachine(hello: hello)
    decoder = FrameDecoder(payloadLimit: Int(hello.payloadBytesMax))
    tcp.delegate = self
    output.append(hello)
    output.flush()
    tcp.start()
  }

  /// Calls that wait for their answer.
  var callCount: Int { machine.callCount }

  // MARK: Calls

  /// Sends the request of `call`, which is completed later, or fails it at once.
  func begin(_ call: PendingCall, now: LoopInstant) {
    do throws(RPCError) {
      guard call.options.metadata.fits else {
        throw RPCError(.invalidArgument, "the metadata is larger than \(Metadata.bytesMax) bytes")
      }
      call.stream = try machine.callBegan(call)
    } catch {
      return complete(call) { $0.fail(error) }
    }
    do throws(RPCError) {
      try send(call, millisecondsLeft: call.deadline.milliseconds(since: now))
      call.connection = self
      if call.isStreaming {
        call.link = link
        link?.callBegan(call.stream, inbound: call.inbound, outbound: call.outbound)
      }
      watchDeadline(call.deadline)
    } catch {
      _ = machine.callGivenUp(stream: call.stream)
      complete(call) { $0.fail(error) }
    }
    if machine.phase == .draining {
      retire(RPCError(.unavailable, "the connection has used all stream numbers", reason: "DRAINING"))
    }
    closeIfDrained()
  }

  /// The caller of `call` waits no longer.
  func giveUp(_ call: PendingCall, _ error: RPCError) {
    guard machine.callGivenUp(stream: call.stream) != nil else { return }
    output.append(FrameHeader(kind: .cancel, stream: call.stream))
    if call.isStreaming { link?.callFailed(call.stream, error) }
    complete(call) { $0.fail(error) }
    closeIfDrained()
  }

  private func watchDeadline(_ deadline: LoopInstant) {
    if deadline < earliestDeadline { earliestDeadline = deadline }
    if deadlineTimer != nil { return }
    deadlineTimer = tcp.loop.schedule(after: Self.deadlineInterval) {
      self.deadlineTimer = nil
      self.expireCalls(now: self.tcp.loop.now)
      if self.machine.callCount > 0 { self.watchDeadline(self.earliestDeadline) }
    }
  }

  private func expireCalls(now: LoopInstant) {
    if now < earliestDeadline { return }
    earliestDeadline = LoopInstant(nanoseconds: .max)
    for call in machine.calls.values {
      if call.deadline <= now {
        giveUp(call, RPCError(.deadlineExceeded, "no answer from \(address) within \(call.options.timeout)"))
      } else if call.deadline < earliestDeadline {
        earliestDeadline = call.deadline
      }
    }
  }

  private func send(_ call: PendingCall, millisecondsLeft: UInt64) throws(RPCError) {
    let limit = Int(machine.peer?.payloadBytesMax ?? 0)
    let header = FrameHeader(
      kind: .request, stream: call.stream, flags: call.flags, code: call.method,
      value: UInt32(clamping: max(1, millisecondsLeft)))
    let size = output.append(header, call.options.metadata, payloadMax: limit) { call.appendRequest(to: &$0) }
    if let size {
      throw RPCError(
        .resourceExhausted, "the request has \(size) bytes, and the server accepts \(limit)",
        reason: "REQUEST_TOO_LARGE")
    }
  }

  private func complete(_ call: PendingCall, _ body: (PendingCall) -> Void) {
    if call.isCompleted { return }
    call.isCompleted = true
    call.connection = nil
    body(call)
  }

  // MARK: Bytes in

  func received(_ bytes: borrowing RawSpan) {
    keepalive?.heard(at: tcp.loop.now)
    do throws(FrameError) {
      try decoder.decode(bytes) { header, payload in
        perform(machine.frameReceived(header, payload), header, payload)
        return machine.phase != .closed
      }
    } catch {
      end(RPCError(.internal, "the server at \(address) does not speak this protocol: \(error)"))
    }
  }

  func writable() { link?.sendWaiting() }

  func closed(_ error: IOError?) {
    if let error = error?.tls { return end(RPCError(error, from: address)) }
    let cause = error.map { ": \($0)" } ?? ""
    end(RPCError(.unavailable, "the connection to \(address) was lost\(cause)", reason: "CONNECTION_LOST"))
  }

  private func perform(
    _ action: ClientConnectionStateMachine<PendingCall>.Action, _ header: FrameHeader, _ payload: RawSpan
  ) {
    switch action {
    case .ignore: break
    case .opened(let peer): opened(peer)
    case .complete(let call):
      complete(call, header, payload)
      closeIfDrained()
    case .stream(let isOpen): streamFrameReceived(header, payload, isOpen: isOpen)
    case .pong(let value): pingReceived(value)
    case .drain(let unseen):
      drain(GoAwayReason(rawValue: header.code), unseen)
      closeIfDrained()
    case .close(let error): end(error)
    }
  }

  /// Bounds what a server makes us queue that asks again and again, and reads no answers.
  private func pingReceived(_ value: UInt32) {
    if pings.pingReceived(at: tcp.loop.now) { return output.append(FrameHeader(kind: .pong, value: value)) }
    end(RPCError(.internal, "the server at \(address) broke the protocol: it pings more often than our hello allows"))
  }

  private func opened(_ peer: Hello) {
    link = StreamLink(output: output, ours: hello, peer: peer)
    keepalive = Keepalive(
      keepaliveOptions, now: tcp.loop.now, peerIntervalMin: .milliseconds(peer.pingIntervalMillisecondsMin))
    watchLiveness()
    onChange?(.opened)
  }

  private func streamFrameReceived(_ header: FrameHeader, _ payload: RawSpan, isOpen: Bool) {
    guard let link else { return }
    switch link.received(header, payload, isOpen: isOpen) {
    case .done: break
    case .violation(let text): end(RPCError(.internal, "the server at \(address) broke the protocol: \(text)"))
    case .failed(let error):
      if let call = machine.calls[header.stream] { giveUp(call, RPCError(.internal, error.message)) }
    }
  }

  /// The server takes no more calls, and never saw `unseen`: they go elsewhere, but for those that have sent messages,
  /// which nobody has any more.
  private func drain(_ reason: GoAwayReason?, _ unseen: [PendingCall]) {
    let cause = reason == .idle ? "lets idle connections go" : "is shutting down"
    let reason = RPCError(.unavailable, "the server at \(address) \(cause)", reason: "DRAINING")
    var movable: [PendingCall] = []
    for call in unseen {
      call.connection = nil
      if call.outbound?.hasSent == true {
        link?.callFailed(call.stream, reason)
        complete(call) { $0.fail(reason) }
      } else {
        if call.isStreaming { link?.callHandedBack(call.stream) }
        movable.append(call)
      }
    }
    retire(reason)
    if !movable.isEmpty { onChange?(.handedBack(movable)) }
  }

  private func watchLiveness() {
    let interval = max(min(keepaliveOptions.interval / 4, .seconds(1)), .milliseconds(1))
    keepaliveTimer = tcp.loop.schedule(after: interval) {
      switch self.keepalive?.check(now: self.tcp.loop.now, openCalls: self.machine.callCount) ?? .nothing {
      case .nothing, .idle: break
      case .ping(let value): self.output.append(FrameHeader(kind: .ping, value: value))
      case .lost:
        let text = "\(self.address) gave no sign of life for \(self.keepaliveOptions.interval)"
        return self.end(RPCError(.unavailable, text, reason: "CONNECTION_LOST"))
      }
      self.watchLiveness()
    }
  }

  private func complete(_ call: PendingCall, _ header: FrameHeader, _ payload: RawSpan) {
    var metadata = Metadata()
    var bodyStart = 0
    if header.flags.contains(.metadata), let decoded = Metadata.decode(payload) {
      (metadata, bodyStart) = decoded
    }
    let body = payload.extracting(bodyStart..<payload.byteCount)
    if call.isCompleted { return }
    call.isCompleted = true
    call.connection = nil
    switch StatusCode(rawValue: header.code) {
    case .ok: call.succeed(body, metadata)
    case let code:
      let details = (try? ErrorDetails(decoding: body)) ?? ErrorDetails(message: "the server gave no details")
      call.fail(RPCError(code: code ?? .unknown, details: details))
    }
    if call.isStreaming { link?.callEnded(call.stream) }
  }

  // MARK: The end

  /// Begins no more calls; those under way go on.
  private func retire(_ reason: RPCError) {
    if isRetired { return }
    isRetired = true
    onChange?(.retired(reason))
  }

  /// Disconnects when nothing is left to wait for: the server may never do so.
  private func closeIfDrained() {
    if machine.isDrained { end(RPCError(.unavailable, "the connection to \(address) was drained")) }
  }

  /// Disconnects; calls under way fail with `error`.
  func end(_ error: RPCError) {
    keepaliveTimer?.cancel()
    deadlineTimer?.cancel()
    output.flush()
    tcp.close()
    for call in machine.connectionClosed() { complete(call) { $0.fail(error) } }
    link?.connectionClosed(error)
    retire(error)
    onChange = nil
  }
}
