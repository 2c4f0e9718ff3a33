/// The credit for messages, of a connection and of each of its streaming calls, both ways, as one side sees it; see
/// `Schemas/PROTOCOL.md`, "Credit". No I/O.
struct FlowControl {
  /// The most credit that there can be, in bytes.
  static let creditMax = Int(Int32.max)

  /// What to do with a message that came.
  enum Reception: Equatable {
    /// Hand it to its call.
    case deliver
    /// Its call has ended: drop it.
    case discard
    /// The peer broke the protocol.
    case violation(String)
  }

  /// Credit to be granted to the peer, in bytes.
  struct Grants: Equatable {
    /// For the call; nil when none is due yet.
    var call: UInt32?
    /// For the connection; nil when none is due yet.
    var connection: UInt32?
  }

  /// One streaming call.
  struct Call: Equatable {
    /// What may still be sent; below 0 by one message at most.
    var sendCredit: Int
    /// What the peer may still send.
    var receiveCredit: Int
    /// Bytes received and not taken by the reader.
    var unread = 0
    /// Bytes taken by the reader and not granted again.
    var ungranted = 0
    /// Whether messages may be sent.
    var sends: Bool
    /// Whether messages may come.
    var receives: Bool
    /// Whether the call has ended, and only waits for its reader.
    var isEnded = false
  }

  private let ours: (call: Int, connection: Int)
  private let peers: (call: Int, connection: Int)
  private(set) var calls = StreamTable<Call>()
  /// What may still be sent on the connection.
  private(set) var sendCredit: Int
  /// What the peer may still send on the connection.
  private(set) var receiveCredit: Int
  private var ungranted = 0

  /// The credits of a connection whose sides greeted each other so.
  init(ours: Hello, peer: Hello) {
    self.ours = (Int(ours.callWindow), Int(ours.connectionWindow))
    peers = (Int(peer.callWindow), Int(peer.connectionWindow))
    sendCredit = peers.connection
    receiveCredit = self.ours.connection
  }

  /// What a message costs, in bytes.
  static func cost(payloadBytes: Int) -> Int { FrameHeader.size + payloadBytes }

  // MARK: Calls

  /// A call began whose requests or responses are a stream.
  mutating func callBegan(_ stream: UInt32, sends: Bool, receives: Bool) {
    calls[stream] = Call(sendCredit: peers.call, receiveCredit: ours.call, sends: sends, receives: receives)
  }

  /// The call ended. When its reader goes on to read what came, `keepsUnread` leaves that on the peer's account.
  mutating func callEnded(_ stream: UInt32, keepsUnread: Bool = false) {
    guard let call = calls[stream] else { return }
    if keepsUnread, call.unread > 0 {
      calls[stream]?.isEnded = true
      calls[stream]?.sends = false
      calls[stream]?.receives = false
    } else {
      calls[stream] = nil
      ungranted += call.unread
    }
  }

  // MARK: Sending

  /// Whether a message may be sent on the connection, of a call that may.
  var isConnectionSendable: Bool { sendCredit > 0 }

  /// Whether the call has credit for a message; the connection must have it too.
  func isSendable(_ stream: UInt32) -> Bool {
    guard let call = calls[stream] else { return false }
    return call.sends && call.sendCredit > 0
  }

  /// A message of so many bytes was sent.
  mutating func messageSent(_ stream: UInt32, cost: Int) {
    calls[stream]?.sendCredit -= cost
    sendCredit -= cost
  }

  /// The peer granted credit: to a call, or to the connection when `stream` is 0.
  ///
  /// - Returns: nil, or how the peer broke the protocol.
  mutating func creditReceived(_ stream: UInt32, bytes: UInt32) -> String? {
    let present = stream == 0 ? sendCredit : calls[stream].flatMap { $0.sends ? $0.sendCredit : nil }
    guard let present else { return nil }
    guard bytes > 0, present + Int(bytes) <= Self.creditMax else {
      return "a credit of \(bytes) on top of \(present): 1 to \(Self.creditMax) in all is allowed"
    }
    if stream == 0 { sendCredit += Int(bytes) } else { calls[stream]?.sendCredit += Int(bytes) }
    return nil
  }

  // MARK: Receiving

  /// A message of so many bytes came.
  mutating func messageReceived(_ stream: UInt32, cost: Int) -> Reception {
    guard receiveCredit > 0 else { return .violation("a message beyond the connection's credit") }
    receiveCredit -= cost
    guard let call = calls[stream], !call.isEnded else {
      ungranted += cost
      return .discard
    }
    guard call.receives else { return .violation("a message on stream \(stream), where none may come") }
    guard call.receiveCredit > 0 else { return .violation("a message beyond the credit of stream \(stream)") }
    calls[stream]?.receiveCredit -= cost
    calls[stream]?.unread += cost
    return .deliver
  }

  /// The peer sends no more messages on a call.
  ///
  /// - Returns: nil, or how the peer broke the protocol.
  mutating func endReceived(_ stream: UInt32) -> String? {
    guard let call = calls[stream], !call.isEnded else { return nil }
    guard call.receives else { return "an end of stream \(stream), which had none or has ended already" }
    calls[stream]?.receives = false
    return nil
  }

  /// The reader of a call took a message of so many bytes.
  mutating func messageTaken(_ stream: UInt32, cost: Int) {
    guard var call = calls[stream] else { return }
    call.unread -= cost
    call.ungranted += cost
    ungranted += cost
    calls[stream] = call.isEnded && call.unread == 0 ? nil : call
  }

  /// What is due to be granted now, to `stream` and to the connection: half a window or more. It counts as granted then.
  mutating func takeGrants(_ stream: UInt32) -> Grants {
    var grants = Grants()
    if let call = calls[stream], call.receives, call.ungranted > 0, call.ungranted >= ours.call / 2 {
      grants.call = UInt32(call.ungranted)
      calls[stream]?.receiveCredit += call.ungranted
      calls[stream]?.ungranted = 0
    }
    if ungranted > 0, ungranted >= ours.connection / 2 {
      grants.connection = UInt32(ungranted)
      receiveCredit += ungranted
      ungranted = 0
    }
    return grants
  }
}
