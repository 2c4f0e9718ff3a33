/// The part of a response's body that waits for the client's windows.
struct HTTP2Output {
  /// What is next of a body.
  enum Piece {
    /// These bytes; the last ones, perhaps.
    case bytes(ArraySlice<UInt8>, isLast: Bool)
    /// Nothing yet.
    case later
    /// Nothing more, though the body is not whole.
    case failed
  }

  private enum State {
    case open
    case whole
    case failed
  }

  private var bytes: [UInt8] = []
  private var sentCount = 0
  private var state = State.open

  /// Bytes that wait.
  var count: Int { bytes.count - sentCount }

  /// All of a body that is there as a whole.
  init(whole body: [UInt8]) {
    bytes = body
    state = .whole
  }

  /// The beginning of a body that is made while it is sent.
  init() {}

  mutating func append(_ piece: ArraySlice<UInt8>) {
    if sentCount > 0 {
      bytes.removeFirst(sentCount)
      sentCount = 0
    }
    bytes.append(contentsOf: piece)
  }

  /// Nothing more is appended; what was is sent.
  mutating func end(isWhole: Bool) { state = isWhole ? .whole : .failed }

  /// Takes up to `capacity` bytes from the front.
  mutating func take(_ capacity: Int) -> Piece {
    switch state {
    case .open where count == 0: return .later
    case .failed where count == 0: return .failed
    case .open, .whole, .failed: break
    }
    let taken = bytes[sentCount...].prefix(capacity)
    sentCount = taken.endIndex
    if sentCount == bytes.count {
      bytes = []
      sentCount = 0
    }
    return .bytes(taken, isLast: state == .whole && bytes.isEmpty)
  }
}
