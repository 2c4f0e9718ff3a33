import TestSupport
import Testing

@testable import RPC

@Suite struct ClientConnectionStateMachineTests {
  typealias Machine = ClientConnectionStateMachine<String>

  private static let hello = Hello(payloadBytesMax: 1 << 20, streamsMax: 0, pingIntervalMillisecondsMin: 1_000)
  private static let server = Hello(payloadBytesMax: 1 << 20, streamsMax: 3, pingIntervalMillisecondsMin: 1_000)
  private static let serverPayload = ServerConnectionStateMachineTests.payload(of: server)

  private static func opened(streamLast: UInt32 = .max) -> Machine {
    var machine = Machine(hello: hello, streamLast: streamLast)
    _ = machine.frameReceived(FrameHeader(kind: .hello), serverPayload.span.bytes)
    return machine
  }

  private static func said(_ action: Machine.Action) -> String {
    switch action {
    case .ignore: "ignore"
    case .opened: "opened"
    case .complete(let call): "complete \(call)"
    case .pong(let value): "pong \(value)"
    case .stream(let isOpen): "stream of \(isOpen ? "an open" : "an ended") call"
    case .drain(let unseen): "drain \(unseen.sorted())"
    case .close(let error): "close \(error.code)"
    }
  }

  private static func feed(
    _ machine: inout Machine, _ kind: FrameKind, _ stream: UInt32 = 0, code: UInt16 = 0, payload: String = ""
  ) -> String {
    let header = FrameHeader(kind: kind, stream: stream, code: code, value: 500)
    return said(machine.frameReceived(header, Array(payload.utf8).span.bytes))
  }

  @Test func `no call begins before the server has greeted`() throws {
    var machine = Machine(hello: Self.hello)
    #expect(throws: RPCError.self) { try machine.callBegan("a") }
    #expect(Self.said(machine.frameReceived(FrameHeader(kind: .hello), Self.serverPayload.span.bytes)) == "opened")
    #expect(machine.peer == Self.server)
    #expect(try machine.callBegan("a") == 1)
  }

  @Test(arguments: [.request, .response, .cancel, .ping, .pong] as [FrameKind])
  func `the server's first frame must be a hello`(kind: FrameKind) {
    var machine = Machine(hello: Self.hello)
    #expect(Self.feed(&machine, kind, 1) == "close INTERNAL")
    #expect(machine.phase == .closed)
  }

  @Test func `a server that refuses the connection is quoted, and one that shuts down is to be tried again`() {
    var refused = Machine(hello: Self.hello)
    let header = FrameHeader(kind: .goAway, code: GoAwayReason.versionMismatch.rawValue)
    guard case .close(let error) = refused.frameReceived(header, Array("too old".utf8).span.bytes) else {
      Issue.record("not closed")
      return
    }
    #expect(error.code == .failedPrecondition && error.message.contains("too old"))
    var leaving = Machine(hello: Self.hello)
    #expect(Self.feed(&leaving, .goAway, code: GoAwayReason.shutdown.rawValue) == "close UNAVAILABLE")
  }

  @Test func `a hello of another version or protocol ends the connection`() {
    var garbled = Machine(hello: Self.hello)
    #expect(Self.feed(&garbled, .hello, payload: "SSH-2.0-OpenSSH_9.2p1 Debian") == "close INTERNAL")
    var strange = Machine(hello: Self.hello)
    var future = Self.server
    (future.versionMin, future.versionMax) = (7, 9)
    let payload = ServerConnectionStateMachineTests.payload(of: future)
    #expect(Self.said(strange.frameReceived(FrameHeader(kind: .hello), payload.span.bytes)) == "close INTERNAL")
  }

  @Test func `frames of an open connection`() throws {
    var machine = Self.opened()
    #expect(try (machine.callBegan("a"), machine.callBegan("b"), machine.callBegan("c")) == (1, 2, 3))
    #expect(throws: RPCError.self) { try machine.callBegan("d") }
    #expect(Self.feed(&machine, .response, 2) == "complete b")
    #expect(Self.feed(&machine, .response, 2) == "ignore", "a second answer")
    #expect(machine.callGivenUp(stream: 1) == "a")
    #expect(machine.callGivenUp(stream: 1) == nil)
    #expect(Self.feed(&machine, .response, 1) == "ignore", "an answer that crossed the cancel")
    #expect(Self.feed(&machine, .ping) == "pong 500")
    #expect(Self.feed(&machine, .pong) == "ignore")
    #expect(try machine.callBegan("d") == 4)
    #expect(Set(machine.connectionClosed()) == ["c", "d"])
  }

  @Test(
    arguments: [(FrameKind.response, 4), (.response, 0), (.hello, 0), (.request, 1), (.cancel, 1)]
      as [(FrameKind, UInt32)])
  func `a violation closes the connection, and what comes late is ignored`(kind: FrameKind, stream: UInt32) throws {
    var machine = Self.opened()
    _ = try machine.callBegan("a")
    #expect(Self.feed(&machine, kind, stream) == "close INTERNAL")
    for late in [.response, .goAway, .ping, .hello] as [FrameKind] { #expect(Self.feed(&machine, late, 1) == "ignore") }
    #expect(throws: RPCError.self) { try machine.callBegan("b") }
    #expect(machine.connectionClosed() == ["a"])
  }

  @Test func `a server that goes away hands back what it never saw and answers the rest`() throws {
    var machine = Self.opened()
    for call in ["a", "b", "c"] { _ = try machine.callBegan(call) }
    #expect(Self.feed(&machine, .goAway, 1) == #"drain ["b", "c"]"#)
    #expect(!machine.isDrained)
    #expect(throws: RPCError.self) { try machine.callBegan("d") }
    #expect(Self.feed(&machine, .response, 2) == "ignore", "handed back before")
    #expect(Self.feed(&machine, .goAway, 1) == "drain []")
    #expect(Self.feed(&machine, .response, 1) == "complete a")
    #expect(machine.isDrained)
  }

  @Test func `the last number of a connection is used, and none after it`() throws {
    var machine = Self.opened(streamLast: 2)
    #expect(try machine.callBegan("a") == 1)
    #expect(machine.phase == .open)
    #expect(try machine.callBegan("b") == 2)
    #expect(machine.phase == .draining)
    #expect(throws: RPCError.self) { try machine.callBegan("c") }
    #expect(Self.feed(&machine, .response, 1) == "complete a")
    #expect(Self.feed(&machine, .response, 2) == "complete b")
    #expect(machine.isDrained)
  }

  /// A server that does what it likes, beside a book of what must hold whatever it does.
  @Test func `every call ends exactly once, whatever the server sends`() {
    var random = SeededRandom()
    for _ in 0..<300 {
      var machine = Machine(hello: Self.hello)
      var waiting: Set<String> = []
      var began: UInt32 = 0
      func end(_ calls: some Sequence<String>) {
        for call in calls { #expect(waiting.remove(call) != nil, "seed \(random.seed)") }
      }
      for _ in 0..<60 {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...3:
          guard let stream = try? machine.callBegan("call \(began + 1)") else { continue }
          began += 1
          #expect(stream == began && waiting.count < 3, "seed \(random.seed)")
          waiting.insert("call \(stream)")
        case 4: end([machine.callGivenUp(stream: UInt32.random(in: 0...(began + 1), using: &random))].compactMap { $0 })
        default:
          let kinds: [FrameKind] = [
            .response, .response, .response, .response, .ping, .goAway, .hello, .cancel, .message,
          ]
          let kind = machine.phase == .awaitingHello ? .hello : kinds.randomElement(using: &random)!
          let stream = UInt32.random(in: 0...(began + 1), using: &random)
          switch machine.frameReceived(FrameHeader(kind: kind, stream: stream), Self.serverPayload.span.bytes) {
          case .complete(let call): end([call])
          case .drain(let unseen): end(unseen)
          case .close: #expect(machine.phase == .closed, "seed \(random.seed)")
          case .ignore, .opened, .pong, .stream: break
          }
        }
      }
      end(machine.connectionClosed())
      #expect(waiting.isEmpty, "seed \(random.seed)")
    }
  }
}
