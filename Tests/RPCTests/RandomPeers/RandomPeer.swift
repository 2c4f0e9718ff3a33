import API
import EventLoop
import TestSupport
import Testing
import Wire

@testable import RPC

/// A peer that makes up what it says to a server of the probe service, and knows what the server has to answer.
///
/// It keeps to the protocol until its end; see ``PeerEnding``. What it says goes out in pieces that are cut anywhere.
// Confined to the loop of its test.
final class RandomPeer: @unchecked Sendable {
  static let callWindow = 3_000
  static let connectionWindow = 9_000
  /// Fewer than the server allows: those that were cancelled may still run.
  static let callsMax = 30

  let raw: RawPeer
  let name: String
  var random: SeededRandom
  /// What is not sent yet.
  private(set) var unsent: [UInt8] = []
  private(set) var calls: [UInt32: PeerCall] = [:]
  private(set) var lastStream: UInt32 = 0
  private var sendCredit = 0
  private var callCredit = 0
  private var receiveCredit = RandomPeer.connectionWindow
  private var owed = 0
  private var pings: [UInt32] = []
  private var framesSeen = 0
  private(set) var isGreeted = false
  /// Why the server said that it closes.
  private(set) var goAway: GoAwayReason?
  /// What the server did wrong.
  private(set) var faults: [String] = []

  init(loop: EventLoop, random: SeededRandom) {
    raw = RawPeer(loop: loop)
    self.random = random
    name = "peer \(random.seed)"
  }

  /// Greets, and waits for the greeting.
  func greet(port: Int) async throws {
    try await raw.connect(port: port)
    Hello(
      payloadBytesMax: 64 << 10, streamsMax: 0, callWindow: UInt32(Self.callWindow),
      connectionWindow: UInt32(Self.connectionWindow), metadata: ["name": name]
    ).append(to: &unsent)
    flush()
    try await raw.until { _ in
      self.receive()
      return self.isGreeted
    }
  }

  // MARK: Saying

  /// Says something, or takes some of what came.
  func step() {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<6: beginCall()
    case 6..<12: sendMessage()
    case 12..<14: endRequests()
    case 14..<17: grant()
    case 17: cancel()
    case 18: ping()
    default: sayLateThings()
    }
    // Often something stays back, in the middle of a frame.
    if Bool.random(using: &random) { flushSome() }
    receive()
  }

  /// Says all that is left to say, so that every call which was not cancelled is answered.
  func finish() {
    for stream in calls.keys.sorted() {
      if calls[stream]?.expectation == .never { cancel(stream) }
      if calls[stream]?.isEnded == false { end(stream) }
    }
    grantEverything()
    flush()
    receive()
  }

  /// Whether every call that was not cancelled is answered, and every ping.
  var isAnswered: Bool { pings.isEmpty && !calls.values.contains(where: \.isDue) }

  /// Says something beside the protocol.
  func say(_ bytes: [UInt8]) { unsent += bytes }

  func say(_ header: FrameHeader, _ payload: [UInt8] = []) { header.append(payload: payload, to: &unsent) }

  /// Sends everything.
  func flush() {
    raw.send { $0 = unsent }
    unsent = []
  }

  private func flushSome() {
    let count = Int.random(in: 0...unsent.count, using: &random)
    raw.send { $0 = Array(unsent.prefix(count)) }
    unsent.removeFirst(count)
  }

  private func beginCall() {
    guard calls.count < Self.callsMax else { return }
    // Numbers may be left out.
    lastStream += UInt32.random(in: 1...3, using: &random)
    let made = makeRequest()
    let streams: FrameHeader.Flags = [.requestsStream, .responsesStream]
    say(
      FrameHeader(
        kind: .request, stream: lastStream, flags: made.flags, code: made.method, value: made.milliseconds),
      made.payload)
    let hasStream = !made.flags.isDisjoint(with: streams)
    calls[lastStream] = PeerCall(
      made.expectation, sendCredit: hasStream ? callCredit : 0, receiveCredit: Self.callWindow)
  }

  private func sendMessage() {
    guard let stream = openStream(), sendCredit > 0, calls[stream]!.sendCredit > 0 else { return }
    let size = Int.random(in: 0...(Int.random(in: 0..<10, using: &random) == 0 ? 20_000 : 500), using: &random)
    let piece = Piece(
      number: UInt64(calls[stream]!.sent.count), payload: [UInt8](repeating: 7, count: size))
    let bytes = piece.encoded()
    say(FrameHeader(kind: .message, stream: stream), bytes)
    calls[stream]!.sent.append(size)
    calls[stream]!.sendCredit -= FrameHeader.size + bytes.count
    sendCredit -= FrameHeader.size + bytes.count
  }

  private func endRequests() { if let stream = openStream() { end(stream) } }

  private func end(_ stream: UInt32) {
    say(FrameHeader(kind: .end, stream: stream))
    calls[stream]!.isEnded = true
  }

  private func cancel() {
    if let stream = calls.keys.sorted().randomElement(using: &random) { cancel(stream) }
  }

  private func cancel(_ stream: UInt32) {
    say(FrameHeader(kind: .cancel, stream: stream))
    calls[stream]!.isCancelled = true
    calls[stream]!.isEnded = true
  }

  private func ping() {
    pings.append(UInt32.random(in: 0...UInt32.max, using: &random))
    say(FrameHeader(kind: .ping, value: pings.last!))
  }

  /// Grants what is owed to a call or to the connection, sometimes more.
  private func grant() {
    let more = Int.random(in: 0..<4, using: &random) == 0 ? 5_000 : 0
    if Bool.random(using: &random) {
      grantConnection(more)
    } else if let stream = calls.keys.sorted().filter({ calls[$0]!.receives }).randomElement(using: &random) {
      grant(stream, more)
    }
  }

  private func grantConnection(_ more: Int) {
    guard owed + more > 0 else { return }
    say(FrameHeader(kind: .credit, value: UInt32(owed + more)))
    receiveCredit += owed + more
    owed = 0
  }

  private func grant(_ stream: UInt32, _ more: Int) {
    let bytes = calls[stream]!.owed + more
    guard bytes > 0 else { return }
    say(FrameHeader(kind: .credit, stream: stream, value: UInt32(bytes)))
    calls[stream]!.receiveCredit += bytes
    calls[stream]!.owed = 0
  }

  private func grantEverything() {
    grantConnection(0)
    for stream in calls.keys.sorted() where calls[stream]!.isDue && calls[stream]!.receives { grant(stream, 0) }
  }

  /// What a server ignores: frames of calls that have ended.
  private func sayLateThings() {
    guard let stream = calls.keys.sorted().filter({ !calls[$0]!.isDue }).randomElement(using: &random) else { return }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: say(FrameHeader(kind: .cancel, stream: stream))
    case 1: say(FrameHeader(kind: .end, stream: stream))
    case 2: say(FrameHeader(kind: .credit, stream: stream, value: 1))
    default:
      guard sendCredit > 0 else { return }
      sendCredit -= FrameHeader.size + 10
      say(FrameHeader(kind: .message, stream: stream), [UInt8](repeating: 1, count: 10))
    }
  }

  private func openStream() -> UInt32? {
    calls.keys.sorted().filter { !calls[$0]!.isEnded }.randomElement(using: &random)
  }

  // MARK: Hearing

  /// Takes the frames that came.
  func receive() {
    while framesSeen < raw.frames.count {
      let (header, payload) = raw.frames[framesSeen]
      framesSeen += 1
      if let fault = received(header, payload) { faults.append("\(fault) (frame \(framesSeen): \(header))") }
    }
  }

  private func received(_ header: FrameHeader, _ payload: [UInt8]) -> String? {
    if goAway != nil { return "a frame behind the goAway" }
    if header.kind == .goAway {
      goAway = GoAwayReason(rawValue: header.code)
      return nil
    }
    if !isGreeted { return greeted(header, payload) }
    switch header.kind {
    case .response:
      guard calls[header.stream] != nil else { return "an answer to nothing" }
      return calls[header.stream]!.answered(StatusCode(rawValue: header.code), payload)
    case .message: return messageReceived(header.stream, payload)
    case .credit: return creditReceived(header.stream, Int(header.value))
    case .pong: return pings.isEmpty || pings.removeFirst() != header.value ? "a pong to nothing" : nil
    default: return "a frame that no server sends"
    }
  }

  private func greeted(_ header: FrameHeader, _ payload: [UInt8]) -> String? {
    guard header.kind == .hello, let hello = Hello.decode(payload.span.bytes) else { return "no greeting" }
    isGreeted = true
    (sendCredit, callCredit) = (Int(hello.connectionWindow), Int(hello.callWindow))
    return nil
  }

  private func messageReceived(_ stream: UInt32, _ payload: [UInt8]) -> String? {
    let cost = FrameHeader.size + payload.count
    guard receiveCredit > 0 else { return "a message beyond the connection's credit" }
    receiveCredit -= cost
    owed += cost
    guard calls[stream] != nil else { return "a message to nothing" }
    return calls[stream]!.messageReceived(try? Piece(decoding: payload), cost: cost)
  }

  private func creditReceived(_ stream: UInt32, _ bytes: Int) -> String? {
    guard bytes > 0 else { return "a credit of nothing" }
    if stream == 0 {
      sendCredit += bytes
      return sendCredit <= ProbeLimits.connectionWindow ? nil : "more credit than the window"
    }
    guard calls[stream] != nil else { return "a credit to nothing" }
    calls[stream]!.sendCredit += bytes
    return calls[stream]!.sendCredit <= ProbeLimits.callWindow ? nil : "more credit than the window of the call"
  }
}
