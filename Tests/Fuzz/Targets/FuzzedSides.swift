@testable import RPC

/// What both sides greet with: windows and limits that a few frames use up.
private let greeting = Hello(
  payloadBytesMax: 4_096, streamsMax: 3, callWindow: 300, connectionWindow: 700)

/// A server's machine and credit, without handlers: calls with a stream go on until something ends them. A ping with the
/// number 7 makes it drain.
struct FuzzedServer {
  private var machine = ServerConnectionStateMachine<UInt32>(hello: greeting)
  private var streams: FuzzedStreams?
  private var isClosed = false

  mutating func received(_ frame: Frame) {
    let before = machine.lastStream
    let action = machine.frameReceived(frame.header, frame.payload.span.bytes)
    precondition(machine.lastStream >= before && machine.runningHandlers <= 3)
    switch action {
    case .ignore: return
    case .close:
      precondition(machine.phase == .closed)
      isClosed = true
      return
    default: precondition(!isClosed, "a closed connection goes on")
    }
    perform(action, frame)
  }

  private mutating func perform(_ action: ServerConnectionStateMachine<UInt32>.Action, _ frame: Frame) {
    switch action {
    case .greet(let peer):
      precondition(streams == nil, "two greetings")
      streams = FuzzedStreams(ours: greeting, peer: peer)
    case .start(let stream, _, _): start(stream, frame.header.flags)
    case .stream(let isOpen): streams?.received(frame, isOpen: isOpen)
    case .refuse(let stream, _), .cancel(let stream): streams?.ended(stream)
    // As an operator might say at any time.
    case .pong(let value): if value == 7, !machine.leave() { machine.drain() }
    case .drain: machine.drain()
    case .ignore, .close: break
    }
    if case .cancel = action { machine.handlerEnded() }
  }

  /// Calls without a stream are answered at once.
  private mutating func start(_ stream: UInt32, _ flags: FrameHeader.Flags) {
    precondition(machine.phase == .open || machine.phase == .leaving, "a call began that nobody takes")
    guard flags.contains(.requestsStream) || flags.contains(.responsesStream) else { return }
    machine.callStarted(stream, stream: stream)
    streams?.began(stream, sends: flags.contains(.responsesStream), receives: flags.contains(.requestsStream))
  }

  mutating func closed() {
    precondition(machine.connectionClosed().count == machine.runningHandlers, "a call is lost")
    precondition(machine.calls.isEmpty && machine.phase == .closed)
  }
}

/// A client's machine and credit: it begins a call of another shape with every frame that comes.
struct FuzzedClient {
  private var machine = ClientConnectionStateMachine<UInt32>(hello: greeting, streamLast: 100)
  private var streams: FuzzedStreams?
  private var begun: UInt32 = 0
  private var ended: UInt32 = 0

  mutating func received(_ frame: Frame) {
    switch machine.frameReceived(frame.header, frame.payload.span.bytes) {
    case .opened(let peer): streams = FuzzedStreams(ours: greeting, peer: peer)
    case .complete(let call):
      ended += 1
      streams?.ended(call)
    case .drain(let unseen):
      ended += UInt32(unseen.count)
      for call in unseen { streams?.ended(call) }
    case .stream(let isOpen): streams?.received(frame, isOpen: isOpen)
    case .close: precondition(machine.phase == .closed)
    case .ignore, .pong: break
    }
    begin()
  }

  private mutating func begin() {
    guard let stream = try? machine.callBegan(begun + 1) else { return }
    begun += 1
    precondition(stream == begun, "numbers are given out of turn")
    if !begun.isMultiple(of: 4) {
      streams?.began(stream, sends: begun % 4 != 1, receives: begun % 4 != 2)
    }
  }

  mutating func closed() {
    ended += UInt32(machine.connectionClosed().count)
    precondition(ended == begun, "a call ended never or twice")
    precondition(machine.callCount == 0 && machine.phase == .closed)
  }
}
