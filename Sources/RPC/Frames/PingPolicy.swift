internal import EventLoop

/// Whether a peer keeps to the announced time between two pings. No I/O.
struct PingPolicy {
  /// Pings that may come too early in a row: clocks and networks are not exact.
  private static let earlyMax = 3

  private let intervalMin: Duration
  private var last: LoopInstant?
  private var early = 0

  init(intervalMin: Duration) { self.intervalMin = intervalMin }

  /// A ping came; whether that is still tolerated.
  mutating func pingReceived(at now: LoopInstant) -> Bool {
    defer { last = now }
    guard let last, now - last < intervalMin else {
      early = 0
      return true
    }
    early += 1
    return early <= Self.earlyMax
  }
}
