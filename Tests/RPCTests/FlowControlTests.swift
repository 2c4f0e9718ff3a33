import TestSupport
import Testing

@testable import RPC

@Suite struct FlowControlTests {
  private static func hello(call: UInt32, connection: UInt32) -> Hello {
    Hello(payloadBytesMax: 1 << 20, streamsMax: 10, callWindow: call, connectionWindow: connection)
  }

  private static func flow(_ call: UInt32 = 100, _ connection: UInt32 = 250) -> FlowControl {
    let hello = hello(call: call, connection: connection)
    return FlowControl(ours: hello, peer: hello)
  }

  @Test func `a message costs its whole frame`() {
    #expect(FlowControl.cost(payloadBytes: 0) == 24 && FlowControl.cost(payloadBytes: 76) == 100)
  }

  @Test func `credit of the call and of the connection are both needed, and overdrawn by one message at most`() {
    var flow = Self.flow()
    for stream in 1...4 as ClosedRange<UInt32> { flow.callBegan(stream, sends: true, receives: false) }
    flow.messageSent(1, cost: 99)
    #expect(flow.isSendable(1))
    flow.messageSent(1, cost: 99)
    #expect(!flow.isSendable(1) && flow.isSendable(2) && flow.isConnectionSendable)
    flow.messageSent(2, cost: 99)
    #expect(!flow.isConnectionSendable)
    #expect(flow.creditReceived(1, bytes: 99) == nil)
    #expect(flow.isSendable(1) && !flow.isConnectionSendable)
    #expect(flow.creditReceived(0, bytes: 48) == nil)
    #expect(flow.isConnectionSendable)
  }

  @Test func `half a window is granted again when it was read`() {
    var flow = Self.flow()
    flow.callBegan(1, sends: false, receives: true)
    #expect(flow.messageReceived(1, cost: 49) == .deliver)
    #expect(flow.takeGrants(1) == .init())
    flow.messageTaken(1, cost: 49)
    #expect(flow.takeGrants(1) == .init())
    #expect(flow.messageReceived(1, cost: 40) == .deliver)
    flow.messageTaken(1, cost: 40)
    #expect(flow.takeGrants(1) == .init(call: 89))
    #expect(flow.messageReceived(1, cost: 50) == .deliver)
    flow.messageTaken(1, cost: 50)
    #expect(flow.takeGrants(1) == .init(call: 50, connection: 139))
    #expect(flow.receiveCredit == 250)
  }

  @Test func `a peer that sends without credit breaks the protocol`() {
    var flow = Self.flow(100, 1_000)
    flow.callBegan(1, sends: false, receives: true)
    #expect(flow.messageReceived(1, cost: 200) == .deliver)
    guard case .violation = flow.messageReceived(1, cost: 24) else {
      Issue.record("more was taken than the call's credit")
      return
    }
    var narrow = Self.flow(1_000, 100)
    narrow.callBegan(1, sends: false, receives: true)
    #expect(narrow.messageReceived(1, cost: 100) == .deliver)
    guard case .violation = narrow.messageReceived(1, cost: 24) else {
      Issue.record("more was taken than the connection's credit")
      return
    }
  }

  @Test func `messages where none may come, and behind the end, break the protocol`() {
    var flow = Self.flow()
    flow.callBegan(1, sends: true, receives: false)
    guard case .violation = flow.messageReceived(1, cost: 24) else {
      Issue.record("a message was taken where none may come")
      return
    }
    flow.callBegan(2, sends: false, receives: true)
    #expect(flow.endReceived(2) == nil)
    #expect(flow.endReceived(2) != nil)
    guard case .violation = flow.messageReceived(2, cost: 24) else {
      Issue.record("a message was taken behind the end")
      return
    }
  }

  @Test func `messages of ended calls are given back to the connection`() {
    var flow = Self.flow()
    flow.callBegan(1, sends: false, receives: true)
    #expect(flow.messageReceived(1, cost: 80) == .deliver)
    flow.callEnded(1)
    #expect(flow.messageReceived(1, cost: 60) == .discard)
    #expect(flow.takeGrants(1) == .init(connection: 140))
    #expect(flow.calls.isEmpty)
  }

  @Test func `what the reader of an ended call has not read stays on the peer's account until it has`() {
    var flow = Self.flow(200, 250)
    flow.callBegan(1, sends: false, receives: true)
    #expect(flow.messageReceived(1, cost: 130) == .deliver)
    flow.callEnded(1, keepsUnread: true)
    #expect(flow.takeGrants(1) == .init())
    #expect(flow.calls.count == 1)
    flow.messageTaken(1, cost: 130)
    #expect(flow.takeGrants(1) == .init(connection: 130))
    #expect(flow.calls.isEmpty)
  }

  @Test func `credit for a call that sends no messages is passed over`() {
    var flow = Self.flow()
    flow.callBegan(1, sends: false, receives: true)
    #expect(flow.creditReceived(1, bytes: 0) == nil)
    #expect(flow.creditReceived(1, bytes: .max) == nil)
  }

  @Test func `credit has a bound, and none is none`() {
    var flow = Self.flow()
    flow.callBegan(1, sends: true, receives: false)
    #expect(flow.creditReceived(0, bytes: 0) != nil)
    #expect(flow.creditReceived(1, bytes: UInt32(Int32.max) - 99) != nil)
    #expect(flow.creditReceived(1, bytes: UInt32(Int32.max) - 100) == nil)
    #expect(flow.creditReceived(7, bytes: .max) == nil)
  }

  @Test(arguments: [UInt64](1...30))
  func `however calls begin, send, read and end, nobody stalls or runs ahead`(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var (sender, receiver) = (Self.flow(300, 700), Self.flow(300, 700))
    var unread: [UInt32: [Int]] = [:]
    var last: UInt32 = 0
    func grant(_ stream: UInt32) {
      let grants = receiver.takeGrants(stream)
      if let bytes = grants.call { #expect(sender.creditReceived(stream, bytes: bytes) == nil, "seed \(seed)") }
      if let bytes = grants.connection { #expect(sender.creditReceived(0, bytes: bytes) == nil, "seed \(seed)") }
    }
    for _ in 0..<2_000 {
      let stream = unread.keys.sorted().randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<10, using: &random) {
      case 0 where unread.count < 5:
        last += 1
        sender.callBegan(last, sends: true, receives: false)
        receiver.callBegan(last, sends: false, receives: true)
        unread[last] = []
      case 1:
        let isKept = Bool.random(using: &random)
        sender.callEnded(stream)
        receiver.callEnded(stream, keepsUnread: isKept)
        if isKept { for cost in unread[stream] ?? [] { receiver.messageTaken(stream, cost: cost) } }
        unread[stream] = nil
        grant(stream)
      case 2...5 where sender.isSendable(stream) && sender.isConnectionSendable:
        let cost = Int.random(in: 24...200, using: &random)
        sender.messageSent(stream, cost: cost)
        #expect(receiver.messageReceived(stream, cost: cost) == .deliver, "seed \(seed)")
        unread[stream]?.append(cost)
        #expect(receiver.calls[stream]!.unread < 300 + 200, "seed \(seed)")
      default:
        guard let costs = unread[stream], let first = costs.first else { continue }
        unread[stream]?.removeFirst()
        receiver.messageTaken(stream, cost: first)
        grant(stream)
      }
    }
    for (stream, costs) in unread {
      for cost in costs { receiver.messageTaken(stream, cost: cost) }
      grant(stream)
      #expect(sender.isSendable(stream), "seed \(seed)")
    }
    #expect(sender.isConnectionSendable, "seed \(seed)")
    #expect(sender.sendCredit == receiver.receiveCredit, "seed \(seed)")
  }
}
