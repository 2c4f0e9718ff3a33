internal import EventLoop

/// The streaming calls of one connection: moves their messages as credit and the socket allow. Both sides have one.
// Confined to the event loop of its connection.
final class StreamLink: @unchecked Sendable {
  /// Bytes that wait for the socket before messages wait too.
  static let backlogMax = 256 << 10

  /// What a frame of a stream led to.
  enum Outcome {
    /// All is well.
    case done
    /// A message is none of its type: the call has to end.
    case failed(RPCError)
    /// The peer broke the protocol.
    case violation(String)
  }

  /// A call whose requests or responses are a stream.
  private struct Call {
    let inbound: InboundMessages?
    let outbound: OutboundMessages?
  }

  private let output: FrameOutput
  private let payloadMax: Int
  private(set) var flow: FlowControl
  private var calls = StreamTable<Call>()
  /// Calls with a message that waits for the connection, in the order in which they take turns.
  private var line = FIFO<OutboundMessages>()

  /// The streaming calls of a connection whose sides greeted each other so.
  init(output: FrameOutput, ours: Hello, peer: Hello) {
    self.output = output
    payloadMax = Int(peer.payloadBytesMax)
    flow = FlowControl(ours: ours, peer: peer)
    output.onFlush = { self.sendWaiting() }
  }

  /// Messages that the calls of the connection wait to send.
  var blockedCalls: Int { calls.values.count { $0.outbound?.isBlocked == true } }

  /// How long the messages of a call waited to be sent.
  func blockedTime(of stream: UInt32) -> Duration { calls[stream]?.outbound?.blockedTime ?? .zero }

  // MARK: Calls

  /// A call began that takes messages from the peer by `inbound` and sends its own by `outbound`.
  func callBegan(_ stream: UInt32, inbound: InboundMessages?, outbound: OutboundMessages?) {
    flow.callBegan(stream, sends: outbound != nil, receives: inbound != nil)
    calls[stream] = Call(inbound: inbound, outbound: outbound)
    inbound?.onTaken = { self.messageTaken(stream, $0) }
    outbound?.began(stream, on: self)
  }

  /// The peer ended the call: what came can still be read.
  func callEnded(_ stream: UInt32) {
    guard let call = calls.removeValue(forKey: stream) else { return }
    flow.callEnded(stream, keepsUnread: call.inbound != nil)
    call.outbound?.fail(RPCError(.cancelled, "the call has ended", reason: "CALL_ENDED"))
    grant(stream)
  }

  /// The call ended with `error`, which its readers and senders hear.
  func callFailed(_ stream: UInt32, _ error: any Error) {
    guard let call = calls.removeValue(forKey: stream) else { return }
    flow.callEnded(stream)
    call.outbound?.fail(error)
    call.inbound?.onTaken = nil
    call.inbound?.abandon(error)
    grant(stream)
  }

  /// Nobody reads what came on a call, ended or not.
  func callAbandoned(_ stream: UInt32) {
    flow.callEnded(stream)
    grant(stream)
  }

  /// The connection never saw the call: it goes elsewhere.
  func callHandedBack(_ stream: UInt32) {
    flow.callEnded(stream)
    guard let outbound = calls.removeValue(forKey: stream)?.outbound else { return }
    line.removeAll { $0 === outbound }
    outbound.detach()
  }

  /// The connection is gone.
  func connectionClosed(_ error: any Error) {
    output.onFlush = nil
    for stream in calls.streams { callFailed(stream, error) }
  }

  // MARK: Receiving

  /// A frame of kind message, end or credit came, of a call that has begun, and `isOpen` unless it has ended.
  func received(_ header: FrameHeader, _ payload: RawSpan, isOpen: Bool) -> Outcome {
    if isOpen, flow.calls[header.stream] == nil, header.kind != .credit {
      return .violation("a \(header.kind) frame on stream \(header.stream), which is no stream of messages")
    }
    switch header.kind {
    case .message: return messageReceived(header.stream, payload)
    case .end:
      if let violation = flow.endReceived(header.stream) { return .violation(violation) }
      calls[header.stream]?.inbound?.finish(nil)
      return .done
    default: return creditReceived(header.stream, header.value)
    }
  }

  private func messageReceived(_ stream: UInt32, _ payload: RawSpan) -> Outcome {
    let cost = FlowControl.cost(payloadBytes: payload.byteCount)
    switch flow.messageReceived(stream, cost: cost) {
    case .violation(let text): return .violation(text)
    case .discard: grant(stream)
    case .deliver:
      do throws(RPCError) {
        try calls[stream]?.inbound?.receive(payload, cost: cost)
      } catch {
        return .failed(error)
      }
    }
    return .done
  }

  private func creditReceived(_ stream: UInt32, _ bytes: UInt32) -> Outcome {
    if let violation = flow.creditReceived(stream, bytes: bytes) { return .violation(violation) }
    if stream == 0 {
      sendWaiting()
    } else if let outbound = calls[stream]?.outbound, outbound.isBlocked {
      wantsToSend(outbound)
    }
    return .done
  }

  private func messageTaken(_ stream: UInt32, _ cost: Int) {
    flow.messageTaken(stream, cost: cost)
    grant(stream)
  }

  private func grant(_ stream: UInt32) {
    let grants = flow.takeGrants(stream)
    if let bytes = grants.call { output.append(FrameHeader(kind: .credit, stream: stream, value: bytes)) }
    if let bytes = grants.connection { output.append(FrameHeader(kind: .credit, value: bytes)) }
  }

  // MARK: Sending

  /// Sends a message if credit and the socket allow, and nobody was first.
  ///
  /// - Returns: false when it must wait.
  /// - Throws: ``RPCError`` RESOURCE_EXHAUSTED when the peer accepts no message of this size.
  func send(_ stream: UInt32, _ append: (inout [UInt8]) -> Void) throws(RPCError) -> Bool {
    guard line.isEmpty, isSendable, flow.isSendable(stream) else { return false }
    try sendNow(stream, append)
    return true
  }

  /// Sends a message whose turn has come.
  func sendNow(_ stream: UInt32, _ append: (inout [UInt8]) -> Void) throws(RPCError) {
    let before = output.total
    let header = FrameHeader(kind: .message, stream: stream)
    if let size = output.append(header, [:], payloadMax: payloadMax, append) {
      throw RPCError(
        .resourceExhausted, "the message has \(size) bytes, and the peer accepts \(payloadMax)",
        reason: "MESSAGE_TOO_LARGE")
    }
    flow.messageSent(stream, cost: Int(output.total - before))
  }

  /// Lets the first of the messages that wait have its turn.
  func wantsToSend(_ outbound: OutboundMessages) {
    guard !outbound.isInLine, flow.isSendable(outbound.stream) else { return }
    outbound.isInLine = true
    line.append(outbound)
    sendWaiting()
  }

  /// Says that no more messages come.
  func sendEnd(_ stream: UInt32) { output.append(FrameHeader(kind: .end, stream: stream)) }

  /// Sends what waits, a message of each call in turn, as far as credit and the socket allow.
  func sendWaiting() {
    while isSendable, let next = line.popFirst() {
      next.isInLine = false
      guard flow.isSendable(next.stream) else { continue }
      next.sendFirst()
      guard next.isBlocked, flow.isSendable(next.stream) else { continue }
      next.isInLine = true
      line.append(next)
    }
  }

  private var isSendable: Bool { flow.isConnectionSendable && output.backlog < Self.backlogMax }
}
