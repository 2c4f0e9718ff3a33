@testable import RPC

/// The credit of one side, whose readers take what comes at once or, on every third call, never.
struct FuzzedStreams {
  private var flow: FlowControl
  private let ours: Hello
  private var isBroken = false

  init(ours: Hello, peer: Hello) {
    flow = FlowControl(ours: ours, peer: peer)
    self.ours = ours
  }

  mutating func began(_ stream: UInt32, sends: Bool, receives: Bool) {
    flow.callBegan(stream, sends: sends, receives: receives)
    send(stream)
  }

  mutating func ended(_ stream: UInt32) {
    flow.callEnded(stream, keepsUnread: stream.isMultiple(of: 2))
    grant(stream)
  }

  mutating func received(_ frame: Frame, isOpen: Bool) {
    if isBroken { return }
    let stream = frame.header.stream
    // What StreamLink refuses by itself.
    if isOpen, flow.calls[stream] == nil, frame.header.kind != .credit { return isBroken = true }
    switch frame.header.kind {
    case .message: messageReceived(stream, cost: FlowControl.cost(payloadBytes: frame.payload.count))
    case .end: isBroken = flow.endReceived(stream) != nil
    default: isBroken = flow.creditReceived(stream, bytes: frame.header.value) != nil
    }
    send(stream)
    expectBounds(of: stream)
  }

  private mutating func messageReceived(_ stream: UInt32, cost: Int) {
    switch flow.messageReceived(stream, cost: cost) {
    case .violation: isBroken = true
    case .discard: grant(stream)
    case .deliver:
      if stream.isMultiple(of: 3) { return }
      flow.messageTaken(stream, cost: cost)
      grant(stream)
    }
  }

  private mutating func grant(_ stream: UInt32) {
    let grants = flow.takeGrants(stream)
    precondition(grants.call != 0 && grants.connection != 0, "a grant of nothing is none")
  }

  /// Sends as long as it may.
  private mutating func send(_ stream: UInt32) {
    for _ in 0..<100 where flow.isConnectionSendable && flow.isSendable(stream) {
      flow.messageSent(stream, cost: FlowControl.cost(payloadBytes: 100_000))
    }
  }

  private func expectBounds(of stream: UInt32) {
    precondition(flow.receiveCredit <= Int(ours.connectionWindow) && flow.sendCredit <= FlowControl.creditMax)
    precondition(flow.receiveCredit > -Int(ours.payloadBytesMax) - FrameHeader.size, "more came than one message ahead")
    guard let call = flow.calls[stream] else { return }
    precondition(call.receiveCredit <= Int(ours.callWindow) && call.sendCredit <= FlowControl.creditMax)
    precondition(call.unread >= 0 && call.ungranted >= 0)
    precondition(call.receiveCredit + call.unread + call.ungranted == Int(ours.callWindow), "credit is lost or made")
  }
}
