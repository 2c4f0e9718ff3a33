import TestSupport
import Testing

@testable import RPC

/// A client's and a server's state machine and credit against each other, without a network: whatever the two sides do,
/// and in whatever order frames of different calls arrive, neither finds the other in the wrong.
@Suite struct TwoSidesTests {
  @Test func `two sides that keep to the protocol never accuse each other, and end with nothing open`() {
    for random in SeededRandom.several(60) {
      let comment: Comment = "replay it with GOZON_TEST_SEED=\(random.seed)"
      var pair = Pair(random)
      for _ in 0..<600 { pair.step() }
      pair.finish()
      #expect(pair.faults.isEmpty, comment)
      #expect(pair.client.callCount == 0 && pair.server.calls.isEmpty && pair.server.runningHandlers == 0, comment)
      #expect(pair.near.flow.calls.isEmpty && pair.far.flow.calls.isEmpty, comment)
      #expect(pair.near.flow.sendCredit == pair.far.flow.receiveCredit, comment)
      #expect(pair.far.flow.sendCredit == pair.near.flow.receiveCredit, comment)
    }
  }
}

/// The two sides, and what they do.
private struct Pair {
  private(set) var client = ClientConnectionStateMachine<UInt32>(hello: greeting)
  private(set) var server = ServerConnectionStateMachine<UInt32>(hello: greeting)
  /// The client's messages, and the server's.
  private(set) var (near, far) = (Side(), Side())
  private(set) var faults: [String] = []
  private var random: SeededRandom
  /// The calls whose client sends no more.
  private var ended: Set<UInt32> = []

  init(_ random: SeededRandom) {
    self.random = random
    var frame: [UInt8] = []
    greeting.append(to: &frame)
    let payload = Array(frame.dropFirst(FrameHeader.size))
    _ = server.frameReceived(FrameHeader(kind: .hello), payload.span.bytes)
    _ = client.frameReceived(FrameHeader(kind: .hello), payload.span.bytes)
  }

  mutating func step() {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: begin()
    case 1..<4: clientActs()
    case 4..<6: serverActs()
    default: deliver()
    }
  }

  /// Answers every call, and lets everything arrive.
  mutating func finish() {
    while !near.outgoing.isEmpty || !far.outgoing.isEmpty || !server.calls.isEmpty {
      for stream in server.calls.streams.sorted() { answer(stream) }
      deliver()
    }
  }

  // MARK: Acts

  private mutating func begin() {
    guard let stream = try? client.callBegan(0) else { return }
    near.flow.callBegan(stream, sends: true, receives: true)
    near.say(FrameHeader(kind: .request, stream: stream, flags: [.requestsStream, .responsesStream], value: 9))
  }

  private mutating func clientActs() {
    guard let stream = client.calls.streams.sorted().randomElement(using: &random) else { return }
    switch Int.random(in: 0..<8, using: &random) {
    case 0:
      guard client.callGivenUp(stream: stream) != nil else { return }
      near.say(FrameHeader(kind: .cancel, stream: stream))
      near.callEnded(stream)
    case 1 where ended.insert(stream).inserted: near.say(FrameHeader(kind: .end, stream: stream))
    case 2...4: near.read(stream, &random)
    default: if !ended.contains(stream) { near.send(stream, &random) }
    }
  }

  private mutating func serverActs() {
    guard let stream = server.calls.streams.sorted().randomElement(using: &random) else { return }
    switch Int.random(in: 0..<10, using: &random) {
    case 0: answer(stream)
    case 1...4: far.read(stream, &random)
    default: far.send(stream, &random)
    }
  }

  private mutating func answer(_ stream: UInt32) {
    guard server.callAnswered(stream: stream) != nil else { return }
    server.handlerEnded()
    far.say(FrameHeader(kind: .response, stream: stream))
    far.callEnded(stream)
  }

  // MARK: Arrivals

  private mutating func deliver() {
    if Bool.random(using: &random) {
      if let frame = near.takeFrame(&random) { serverReceived(frame) }
    } else if let frame = far.takeFrame(&random) {
      clientReceived(frame)
    }
  }

  private mutating func serverReceived(_ frame: Side.Frame) {
    let stream = frame.header.stream
    switch server.frameReceived(frame.header, RawSpan()) {
    case .start:
      server.callStarted(stream, stream: stream)
      far.flow.callBegan(stream, sends: true, receives: true)
    // The end of another call is still on its way.
    case .refuse: far.say(FrameHeader(kind: .response, stream: stream))
    case .cancel:
      server.handlerEnded()
      far.callEnded(stream)
    case .stream: note(far.received(frame))
    case .ignore: break
    default: faults.append("the server objects to \(frame.header)")
    }
  }

  private mutating func clientReceived(_ frame: Side.Frame) {
    let stream = frame.header.stream
    switch client.frameReceived(frame.header, RawSpan()) {
    case .complete: near.callEnded(stream, readsOn: Bool.random(using: &random))
    case .stream: note(near.received(frame))
    case .ignore: break
    default: faults.append("the client objects to \(frame.header)")
    }
  }

  private mutating func note(_ fault: String?) { faults += fault.map { [$0] } ?? [] }
}

private let greeting = Hello(payloadBytesMax: 4_096, streamsMax: 6, callWindow: 300, connectionWindow: 700)

/// The credit of one side, and the frames that have left it.
private struct Side {
  struct Frame {
    let header: FrameHeader
    /// What a message costs.
    var cost = 0
  }

  var flow = FlowControl(ours: greeting, peer: greeting)
  private(set) var outgoing: [Frame] = []

  mutating func say(_ header: FrameHeader) { outgoing.append(Frame(header: header)) }

  mutating func send(_ stream: UInt32, _ random: inout SeededRandom) {
    guard flow.isConnectionSendable, flow.isSendable(stream) else { return }
    let cost = Int.random(in: FrameHeader.size...400, using: &random)
    flow.messageSent(stream, cost: cost)
    outgoing.append(Frame(header: FrameHeader(kind: .message, stream: stream), cost: cost))
  }

  /// Takes a part of what came.
  mutating func read(_ stream: UInt32, _ random: inout SeededRandom) {
    guard let unread = flow.calls[stream]?.unread, unread > 0 else { return }
    flow.messageTaken(stream, cost: Int.random(in: 1...unread, using: &random))
    grant(stream)
  }

  /// The call ended; what came is worth nothing any more, unless its reader reads on.
  mutating func callEnded(_ stream: UInt32, readsOn: Bool = false) {
    flow.callEnded(stream, keepsUnread: readsOn)
    if let unread = flow.calls[stream]?.unread { flow.messageTaken(stream, cost: unread) }
    grant(stream)
  }

  /// A message, end or credit came. Returns what was wrong with it.
  mutating func received(_ frame: Frame) -> String? {
    let stream = frame.header.stream
    switch frame.header.kind {
    case .message:
      defer { grant(stream) }
      if case .violation(let text) = flow.messageReceived(stream, cost: frame.cost) { return text }
      return nil
    case .end: return flow.endReceived(stream)
    default: return flow.creditReceived(stream, bytes: frame.header.value)
    }
  }

  /// The next frame that arrives: the first, or one of another call behind it. Requests and messages stay in turn, since
  /// the calls' numbers and the connection's credit go by it.
  mutating func takeFrame(_ random: inout SeededRandom) -> Frame? {
    let possible = outgoing.indices.filter { index in
      let header = outgoing[index].header
      return !outgoing[..<index].contains { earlier in
        earlier.header.stream == header.stream
          || (earlier.header.kind == header.kind && (header.kind == .request || header.kind == .message))
      }
    }
    return possible.randomElement(using: &random).map { outgoing.remove(at: $0) }
  }

  private mutating func grant(_ stream: UInt32) {
    let grants = flow.takeGrants(stream)
    if let bytes = grants.call { say(FrameHeader(kind: .credit, stream: stream, value: bytes)) }
    if let bytes = grants.connection { say(FrameHeader(kind: .credit, value: bytes)) }
  }
}
