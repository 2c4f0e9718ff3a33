internal import Wire

/// A connection as the client's side sees it: which frames may come, which calls wait. No I/O.
struct ClientConnectionStateMachine<Call> {
  enum Phase: Equatable {
    /// Next: `open`, or `closed`.
    case awaitingHello
    /// Next: `draining`, or `closed`.
    case open
    /// No call begins any more, because the server takes none or the numbers are used up; those under way are answered.
    /// Next: `closed`.
    case draining
    /// The end: late frames are ignored.
    case closed
  }

  /// What the shell has to do about a frame.
  enum Action {
    /// Nothing: an answer to a call that was given up.
    case ignore
    /// The server greeted: calls may begin.
    case opened(Hello)
    /// Give the frame to the call.
    case complete(Call)
    /// Hand the frame to the streams; `isOpen` unless its call has ended.
    case stream(isOpen: Bool)
    /// Answer a ping.
    case pong(UInt32)
    /// The server takes no new calls here: look for another connection, and make these calls again there, which the
    /// server never saw.
    case drain([Call])
    /// Disconnect: the server broke the protocol, or cannot be talked to.
    case close(RPCError)
  }

  private(set) var phase = Phase.awaitingHello
  /// What the server announced.
  private(set) var peer: Hello?
  /// The calls that wait for their answer.
  private(set) var calls = StreamTable<Call>()
  private var lastStream: UInt32 = 0
  private let streamLast: UInt32
  private let hello: Hello

  /// A connection that waits for the server's greeting; `hello` is ours, and `streamLast` the last number of a call.
  init(hello: Hello, streamLast: UInt32 = .max) {
    self.hello = hello
    self.streamLast = streamLast
  }

  /// Calls that wait for their answer.
  var callCount: Int { calls.count }

  /// Whether nothing is left to wait for on a connection that takes no new calls.
  var isDrained: Bool { phase == .draining && calls.isEmpty }

  /// Takes a number for a new call; the connection drains when it was the last one.
  mutating func callBegan(_ call: Call) throws(RPCError) -> UInt32 {
    guard phase == .open, let peer else {
      throw RPCError(.unavailable, "the connection takes no new calls", reason: "DRAINING")
    }
    guard calls.count < peer.streamsMax else {
      throw RPCError(
        .resourceExhausted, "\(calls.count) calls are open on this connection, the most that the server allows",
        reason: "TOO_MANY_STREAMS")
    }
    lastStream += 1
    if lastStream == streamLast { phase = .draining }
    calls[lastStream] = call
    return lastStream
  }

  /// The caller of `stream` gave up; nil when it was answered already.
  mutating func callGivenUp(stream: UInt32) -> Call? { calls.removeValue(forKey: stream) }

  mutating func frameReceived(_ header: FrameHeader, _ payload: RawSpan) -> Action {
    switch (phase, header.kind) {
    case (.closed, _): return .ignore
    case (.awaitingHello, .hello): return helloReceived(payload)
    case (.awaitingHello, .goAway): return refused(GoAwayReason(rawValue: header.code), payload)
    case (.awaitingHello, _): return violation("the server's first frame was not a hello")
    case (_, .response): return responseReceived(header.stream)
    case (_, .ping): return .pong(header.value)
    case (_, .pong): return .ignore
    case (_, .goAway): return goAwayReceived(header, payload)
    case (_, .message), (_, .credit): return streamFrameReceived(header)
    case (_, .hello), (_, .request), (_, .cancel), (_, .end):
      return violation("a \(header.kind) frame from a server")
    }
  }

  /// The connection is gone: every call that waits is handed back to be failed.
  mutating func connectionClosed() -> [Call] {
    phase = .closed
    defer { calls.removeAll() }
    return calls.values
  }

  private mutating func helloReceived(_ payload: RawSpan) -> Action {
    guard let peer = Hello.decode(payload), hello.isCompatible(with: peer) else {
      return violation("the server's hello is of another protocol or version")
    }
    self.peer = peer
    phase = .open
    return .opened(peer)
  }

  private mutating func responseReceived(_ stream: UInt32) -> Action {
    if let call = calls.removeValue(forKey: stream) { return .complete(call) }
    guard stream != 0, stream <= lastStream else {
      return violation("a response to stream \(stream), which never began")
    }
    return .ignore
  }

  private mutating func streamFrameReceived(_ header: FrameHeader) -> Action {
    let isConnections = header.stream == 0 && header.kind == .credit
    guard isConnections || (header.stream != 0 && header.stream <= lastStream) else {
      return violation("a \(header.kind) frame of stream \(header.stream), which never began")
    }
    return .stream(isOpen: calls[header.stream] != nil)
  }

  private mutating func goAwayReceived(_ header: FrameHeader, _ payload: RawSpan) -> Action {
    let reason = GoAwayReason(rawValue: header.code)
    guard reason == .shutdown || reason == .idle || reason == nil else { return refused(reason, payload) }
    phase = .draining
    let unseen = calls.streams.filter { $0 > header.stream }.sorted()
    return .drain(unseen.compactMap { calls.removeValue(forKey: $0) })
  }

  /// The server ends the connection at once, and says why.
  private mutating func refused(_ reason: GoAwayReason?, _ payload: RawSpan) -> Action {
    phase = .closed
    if reason == .shutdown { return .close(RPCError(.unavailable, "the server is shutting down", reason: "DRAINING")) }
    let text = payload.withUnsafeBytes { String(decoding: $0.prefix(500), as: UTF8.self) }
    let status = reason?.status ?? .unavailable
    return .close(RPCError(status, "the server closed the connection: \(text)", reason: "CONNECTION_REFUSED"))
  }

  private mutating func violation(_ text: String) -> Action {
    phase = .closed
    return .close(RPCError(.internal, "the server broke the protocol: \(text)"))
  }
}
