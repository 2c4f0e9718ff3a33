internal import Wire

/// A connection as the server's side sees it: which frames may come, which calls are open. No I/O.
struct ServerConnectionStateMachine<Call> {
  enum Phase: Equatable {
    /// Next: `open`, or `closed`.
    case awaitingHello
    /// Next: `leaving`, `draining`, or `closed`.
    case open
    /// A goAway was sent that names no stream, and a ping behind it: the calls that come before its pong were begun by a
    /// client that did not know, and are taken. Next: `draining`, or `closed`.
    case leaving
    /// A goAway was sent with the last stream that was seen: open calls are finished, later ones are not answered, and
    /// their caller makes them elsewhere. Next: `closed`.
    case draining
    /// The end: late frames are ignored.
    case closed
  }

  /// What the shell has to do about a frame.
  enum Action {
    /// Nothing: a late frame of a call that has ended.
    case ignore
    /// Answer the peer's greeting with ours.
    case greet(Hello)
    /// Start the handler of `method`; if it does not answer at once, report it by ``callStarted(_:stream:)``.
    case start(stream: UInt32, method: UInt16, timeoutMilliseconds: UInt32)
    /// Hand the frame to the streams; `isOpen` unless its call has ended.
    case stream(isOpen: Bool)
    /// Answer with an error: the call was not started.
    case refuse(stream: UInt32, RPCError)
    /// Stop the handler; the peer expects no answer.
    case cancel(Call)
    /// Answer a ping.
    case pong(UInt32)
    /// The client knows that we leave: drain now.
    case drain
    /// Say why, then disconnect.
    case close(GoAwayReason, String)
  }

  /// The number of the ping behind a goAway.
  static var leavingPing: UInt32 { .max }

  private(set) var phase = Phase.awaitingHello
  /// The calls that were not answered at once, and whose answer is due.
  private(set) var calls = StreamTable<Call>()
  /// Handlers that run, those of cancelled calls included: a peer that opens and cancels gains nothing by it.
  private(set) var runningHandlers = 0
  /// The last call that was seen.
  private(set) var lastStream: UInt32 = 0
  private let hello: Hello

  /// A connection that waits for the peer's greeting; `hello` is ours.
  init(hello: Hello) { self.hello = hello }

  /// Whether nothing is left to do on a draining connection.
  var isDrained: Bool { phase == .draining && calls.isEmpty }

  mutating func frameReceived(_ header: FrameHeader, _ payload: RawSpan) -> Action {
    switch (phase, header.kind) {
    case (.closed, _): return .ignore
    case (.awaitingHello, .hello): return helloReceived(payload)
    case (.awaitingHello, _): return violation("the first frame must be a hello")
    case (_, .request): return requestReceived(header)
    case (_, .cancel): return cancelReceived(header.stream)
    case (_, .message), (_, .end), (_, .credit): return streamFrameReceived(header)
    case (_, .ping): return .pong(header.value)
    case (.leaving, .pong) where header.value == Self.leavingPing: return .drain
    case (_, .pong), (_, .goAway): return .ignore
    case (.draining, .hello): return .ignore  // It may be the first: a server can drain before its peer has spoken.
    case (_, .hello): return violation("a second hello")
    case (_, .response): return violation("a response from a client")
    }
  }

  /// The handler of `stream` began, and did not answer at once.
  mutating func callStarted(_ call: Call, stream: UInt32) {
    calls[stream] = call
    runningHandlers += 1
  }

  /// The handler of a call returned, in time or not.
  mutating func handlerEnded() { runningHandlers -= 1 }

  /// The answer of `stream` was given; nil when it is not due any more.
  mutating func callAnswered(stream: UInt32) -> Call? { calls.removeValue(forKey: stream) }

  /// We are going to take no new calls.
  ///
  /// - Returns: whether the client is to be told and asked first; otherwise drain at once.
  mutating func leave() -> Bool {
    guard phase == .open else { return false }
    phase = .leaving
    return true
  }

  /// We take no new calls.
  mutating func drain() {
    if phase != .closed { phase = .draining }
  }

  /// The connection is gone: every open call is handed back to be cancelled.
  mutating func connectionClosed() -> [Call] {
    phase = .closed
    defer { calls.removeAll() }
    return calls.values
  }

  private mutating func helloReceived(_ payload: RawSpan) -> Action {
    guard let peer = Hello.decode(payload) else { return violation("the hello is not one of this protocol") }
    guard hello.isCompatible(with: peer) else {
      phase = .closed
      return .close(
        .versionMismatch,
        "this server speaks version \(hello.versionMin) to \(hello.versionMax), "
          + "the client \(peer.versionMin) to \(peer.versionMax)")
    }
    phase = .open
    return .greet(peer)
  }

  private mutating func requestReceived(_ header: FrameHeader) -> Action {
    guard header.stream > lastStream else {
      return violation("stream \(header.stream) after stream \(lastStream): streams are numbered upwards from 1")
    }
    if phase == .draining { return .ignore }
    lastStream = header.stream
    guard runningHandlers < hello.streamsMax else {
      return .refuse(
        stream: header.stream,
        RPCError(
          .resourceExhausted, "\(runningHandlers) calls run on this connection, the most that it may have",
          reason: "TOO_MANY_STREAMS"))
    }
    return .start(stream: header.stream, method: header.code, timeoutMilliseconds: header.value)
  }

  private mutating func cancelReceived(_ stream: UInt32) -> Action {
    if phase == .draining, stream > lastStream { return .ignore }
    guard stream != 0, stream <= lastStream else { return violation("a cancel of stream \(stream), which never began") }
    guard let call = calls.removeValue(forKey: stream) else { return .ignore }
    return .cancel(call)
  }

  private mutating func streamFrameReceived(_ header: FrameHeader) -> Action {
    let stream = header.stream
    // A message of a call that is not answered was paid for all the same.
    if phase == .draining, stream > lastStream { return header.kind == .message ? .stream(isOpen: false) : .ignore }
    let isConnections = stream == 0 && header.kind == .credit
    guard isConnections || (stream != 0 && stream <= lastStream) else {
      return violation("a \(header.kind) frame of stream \(stream), which never began")
    }
    return .stream(isOpen: calls[stream] != nil)
  }

  private mutating func violation(_ text: String) -> Action {
    phase = .closed
    return .close(.protocolViolation, text)
  }
}
