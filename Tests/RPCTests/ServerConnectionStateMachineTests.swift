import TestSupport
import Testing

@testable import RPC

@Suite struct ServerConnectionStateMachineTests {
  typealias Machine = ServerConnectionStateMachine<String>

  private static func hello(streamsMax: UInt32 = 3) -> Hello {
    Hello(payloadBytesMax: 1 << 20, streamsMax: streamsMax, pingIntervalMillisecondsMin: 1_000)
  }

  /// A machine that was greeted.
  private static func opened(streamsMax: UInt32 = 3) -> Machine {
    var machine = Machine(hello: hello(streamsMax: streamsMax))
    _ = machine.frameReceived(FrameHeader(kind: .hello), payload(of: hello()).span.bytes)
    return machine
  }

  static func payload(of hello: Hello) -> [UInt8] {
    var frame: [UInt8] = []
    hello.append(to: &frame)
    return Array(frame.dropFirst(FrameHeader.size))
  }

  /// What the machine wants done, in a word and its numbers.
  private static func said(_ action: Machine.Action) -> String {
    switch action {
    case .ignore: "ignore"
    case .greet: "greet"
    case .start(let stream, let method, let timeout): "start \(stream) \(method) \(timeout)"
    case .refuse(let stream, let error): "refuse \(stream) \(error.code)"
    case .stream(let isOpen): "stream of \(isOpen ? "an open" : "an ended") call"
    case .cancel(let call): "cancel \(call)"
    case .pong(let value): "pong \(value)"
    case .drain: "drain"
    case .close(let reason, _): "close \(reason)"
    }
  }

  private static func feed(_ machine: inout Machine, _ kind: FrameKind, _ stream: UInt32 = 0) -> String {
    let header = FrameHeader(kind: kind, stream: stream, code: 0x1001, value: 500)
    let action = said(machine.frameReceived(header, [UInt8]().span.bytes))
    if action.hasPrefix("start") { machine.callStarted("call \(stream)", stream: stream) }
    return action
  }

  @Test func `the first frame must be a hello that this side understands`() {
    for kind in [.request, .response, .cancel, .ping, .pong, .goAway] as [FrameKind] {
      var machine = Machine(hello: Self.hello())
      #expect(Self.feed(&machine, kind, 1) == "close protocolViolation")
      #expect(machine.phase == .closed)
    }
    var garbled = Machine(hello: Self.hello())
    #expect(Self.feed(&garbled, .hello) == "close protocolViolation")
    var strange = Machine(hello: Self.hello())
    var future = Self.hello()
    (future.versionMin, future.versionMax) = (7, 9)
    let payload = Self.payload(of: future)
    #expect(Self.said(strange.frameReceived(FrameHeader(kind: .hello), payload.span.bytes)) == "close versionMismatch")
    #expect(strange.phase == .closed)
  }

  @Test func `frames of an open connection`() {
    var machine = Self.opened()
    #expect(machine.phase == .open)
    #expect(Self.feed(&machine, .request, 1) == "start 1 4097 500")
    #expect(Self.feed(&machine, .request, 5) == "start 5 4097 500")
    #expect(Self.feed(&machine, .cancel, 5) == "cancel call 5")
    #expect(Self.feed(&machine, .cancel, 5) == "ignore")
    #expect(Self.feed(&machine, .cancel, 3) == "ignore", "a number that was skipped")
    #expect(machine.callAnswered(stream: 1) == "call 1")
    #expect(Self.feed(&machine, .cancel, 1) == "ignore", "a cancel that crossed the answer")
    #expect(Self.feed(&machine, .ping) == "pong 500")
    #expect(Self.feed(&machine, .pong) == "ignore")
    #expect(Self.feed(&machine, .goAway) == "ignore")
    #expect(machine.lastStream == 5 && machine.calls.isEmpty && machine.runningHandlers == 2)
  }

  @Test(
    arguments: [
      (FrameKind.hello, 0), (.response, 1), (.request, 2), (.request, 1), (.request, 0), (.cancel, 3), (.cancel, 0),
    ] as [(FrameKind, UInt32)])
  func `a violation closes the connection, and what comes late is ignored`(kind: FrameKind, stream: UInt32) {
    var machine = Self.opened()
    _ = Self.feed(&machine, .request, 2)
    #expect(Self.feed(&machine, kind, stream) == "close protocolViolation")
    for late in [.hello, .request, .cancel, .ping, .response] as [FrameKind] {
      #expect(Self.feed(&machine, late, 9) == "ignore")
    }
    #expect(machine.connectionClosed() == ["call 2"])
    #expect(machine.connectionClosed().isEmpty)
  }

  @Test func `calls beyond the limit are refused until a handler has ended`() {
    var machine = Self.opened(streamsMax: 2)
    #expect(Self.feed(&machine, .request, 1).hasPrefix("start"))
    #expect(Self.feed(&machine, .request, 2).hasPrefix("start"))
    #expect(Self.feed(&machine, .request, 3) == "refuse 3 RESOURCE_EXHAUSTED")
    #expect(Self.feed(&machine, .cancel, 2) == "cancel call 2")
    #expect(Self.feed(&machine, .request, 4) == "refuse 4 RESOURCE_EXHAUSTED", "its handler still runs")
    machine.handlerEnded()
    #expect(Self.feed(&machine, .request, 5).hasPrefix("start"))
  }

  @Test func `a draining connection finishes what it saw and takes nothing new`() {
    var machine = Self.opened()
    _ = Self.feed(&machine, .request, 1)
    machine.drain()
    #expect(!machine.isDrained)
    #expect(Self.feed(&machine, .request, 2) == "ignore")
    #expect(Self.feed(&machine, .cancel, 2) == "ignore")
    #expect(Self.feed(&machine, .end, 2) == "ignore")
    #expect(Self.feed(&machine, .message, 2) == "stream of an ended call", "its bytes are given back")
    #expect(Self.feed(&machine, .ping) == "pong 500")
    #expect(machine.lastStream == 1)
    #expect(machine.callAnswered(stream: 1) == "call 1")
    #expect(machine.isDrained)
    _ = machine.connectionClosed()
    machine.drain()
    #expect(machine.phase == .closed && !machine.isDrained)
  }

  @Test func `a server that leaves takes what its client began before it knew`() {
    var machine = Self.opened()
    let isToBeTold = machine.leave()
    #expect(isToBeTold)
    #expect(Self.feed(&machine, .request, 1) == "start 1 4097 500")
    #expect(Self.said(machine.frameReceived(FrameHeader(kind: .pong, value: 7), [UInt8]().span.bytes)) == "ignore")
    let known = FrameHeader(kind: .pong, value: Machine.leavingPing)
    #expect(Self.said(machine.frameReceived(known, [UInt8]().span.bytes)) == "drain")
    machine.drain()
    #expect(Self.feed(&machine, .request, 2) == "ignore" && machine.lastStream == 1)
    var ungreeted = Machine(hello: Self.hello())
    let areToBeTold = [machine.leave(), ungreeted.leave()]
    #expect(areToBeTold == [false, false])
  }

  @Test func `a connection that drains before it was greeted expects nothing more`() {
    var machine = Machine(hello: Self.hello())
    machine.drain()
    #expect(machine.isDrained)
    let payload = Self.payload(of: Self.hello())
    #expect(Self.said(machine.frameReceived(FrameHeader(kind: .hello), payload.span.bytes)) == "ignore")
    #expect(Self.feed(&machine, .request, 1) == "ignore")
  }

  /// A peer that does what it likes, beside a book of what must hold whatever it does.
  @Test func `no sequence of frames breaks the rules`() {
    var random = SeededRandom()
    for _ in 0..<300 {
      var machine = Machine(hello: Self.hello(streamsMax: 4))
      var book = Book(seed: random.seed)
      for _ in 0..<60 { Self.step(&machine, &book, &random) }
      let open = machine.connectionClosed()
      #expect(Set(open) == book.open, "seed \(random.seed)")
    }
  }

  private struct Book {
    let seed: UInt64
    /// Calls whose answer is due.
    var open: Set<String> = []
    /// Handlers that run.
    var running = 0
    var highest: UInt32 = 0
    var wasClosed = false
  }

  private static func step(_ machine: inout Machine, _ book: inout Book, _ random: inout SeededRandom) {
    let seed: Comment = "seed \(book.seed)"
    switch Int.random(in: 0..<20, using: &random) {
    case 0: if !machine.leave() { machine.drain() }
    case 1...4 where book.running > 0:
      machine.handlerEnded()
      book.running -= 1
    case 5...8:
      let stream = UInt32.random(in: 0...(book.highest + 1), using: &random)
      let call = machine.callAnswered(stream: stream)
      #expect((call != nil) == (book.open.remove("call \(stream)") != nil), seed)
    default:
      let kinds: [FrameKind] = [
        .request, .request, .request, .request, .cancel, .cancel, .message, .credit, .ping, .hello, .response,
      ]
      let kind = machine.phase == .awaitingHello && book.highest == 0 ? .hello : kinds.randomElement(using: &random)!
      let isRare = Int.random(in: 0..<10, using: &random) == 0
      let stream = isRare ? UInt32.random(in: 0...9, using: &random) : machine.lastStream + 1
      let payload = payload(of: hello())
      let before = machine.phase
      switch machine.frameReceived(FrameHeader(kind: kind, stream: stream, value: 1), payload.span.bytes) {
      case .start(let started, _, _):
        #expect((before == .open || before == .leaving) && started > book.highest && book.running < 4, seed)
        machine.callStarted("call \(started)", stream: started)
        book.open.insert("call \(started)")
        book.running += 1
        book.highest = started
      case .refuse(let refused, _):
        #expect((before == .open || before == .leaving) && refused > book.highest && book.running == 4, seed)
        book.highest = refused
      case .cancel(let call): #expect(book.open.remove(call) != nil, seed)
      case .close:
        #expect(!book.wasClosed && machine.phase == .closed, seed)
        book.wasClosed = true
      case .greet: #expect(before == .awaitingHello, seed)
      case .pong: #expect(kind == .ping, seed)
      case .drain: #expect(before == .leaving, seed)
      case .stream(let isOpen): #expect(isOpen == book.open.contains("call \(stream)"), seed)
      case .ignore: break
      }
    }
    #expect(Set(machine.calls.values) == book.open && machine.runningHandlers == book.running, seed)
  }
}
