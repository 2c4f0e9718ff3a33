import API
import Wire

@testable import RPC

/// A call that a random peer has made, and what it must come to.
struct PeerCall {
  /// What the answer must be.
  enum Expectation: Equatable {
    /// This status.
    case status(StatusCode)
    /// What was asked for comes back.
    case asked([UInt8])
    /// So many pieces of so many bytes came before.
    case produced(count: UInt64, size: Int)
    /// The pieces that were sent are counted.
    case consumed
    /// Every piece that was sent came back.
    case echoed
    /// The call hangs until it is cancelled.
    case never
  }

  let expectation: Expectation
  /// Credit for messages to the server.
  var sendCredit: Int
  /// Credit for messages of the server, as long as none is granted in time.
  var receiveCredit: Int
  /// Bytes that came and were not granted again.
  var owed = 0
  var isCancelled = false
  /// Whether no more messages will be sent.
  var isEnded: Bool
  /// The sizes of the pieces that were sent.
  var sent: [Int] = []
  /// How many pieces came.
  var received = 0
  private(set) var isAnswered = false

  init(_ expectation: Expectation, sendCredit: Int, receiveCredit: Int) {
    self.expectation = expectation
    self.sendCredit = sendCredit
    self.receiveCredit = receiveCredit
    isEnded = !(expectation == .consumed || expectation == .echoed)
  }

  /// Whether messages of the server may come.
  var receives: Bool {
    switch expectation {
    case .produced, .echoed: true
    default: false
    }
  }

  /// Whether an answer has to come, sooner or later.
  var isDue: Bool { !isAnswered && !isCancelled }

  /// A message came. Returns what is wrong with it.
  mutating func messageReceived(_ piece: Piece?, cost: Int) -> String? {
    if isAnswered { return "a message behind the answer" }
    if receiveCredit <= 0 { return "a message beyond the call's credit" }
    receiveCredit -= cost
    owed += cost
    defer { received += 1 }
    guard let piece, piece.number == UInt64(received) else { return "a message out of turn" }
    switch expectation {
    case .produced(let count, let size): return received < count && piece.payload.count == size ? nil : "a wrong piece"
    case .echoed: return received < sent.count && piece.payload.count == sent[received] ? nil : "a wrong echo"
    default: return "a message where there are none"
    }
  }

  /// The answer came. Returns what is wrong with it.
  mutating func answered(_ status: StatusCode?, _ payload: [UInt8]) -> String? {
    if isAnswered { return "a second answer" }
    isAnswered = true
    // It may have been on its way, or it is the word of a stop.
    if isCancelled { return nil }
    let isRight: Bool =
      switch expectation {
      case .status(let wanted): status == wanted
      case .asked(let wanted): status == .ok && (try? AskResponse(decoding: payload))?.payload == wanted
      case .produced(let count, _): status == .ok && UInt64(received) == count
      case .consumed: status == .ok && (try? ConsumeResponse(decoding: payload)) == total
      case .echoed: status == .ok && isEnded && received == sent.count
      case .never: false
      }
    return isRight ? nil : "\(status.map { "\($0)" } ?? "no status") for \(expectation), \(received) of \(sent.count)"
  }

  private var total: ConsumeResponse {
    ConsumeResponse(count: UInt64(sent.count), bytes: UInt64(sent.reduce(0, +)))
  }
}
