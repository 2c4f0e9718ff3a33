internal import EventLoop

/// Whether the peer of a connection is still there, and whether the connection is still of use. No I/O.
package struct Keepalive {
  /// When a side looks after its peer.
  package struct Options: Sendable {
    /// After how long a silence the peer is asked for a sign of life; and how long it has to give one.
    package var interval: Duration = .seconds(30)
    /// After how long without a call a connection is given up; nil for never.
    package var idleMax: Duration?
    /// The usual times.
    package init() {}
  }

  /// What there is to do.
  enum Action: Equatable {
    case nothing
    /// Ask the peer for a sign of life.
    case ping(UInt32)
    /// The peer is gone.
    case lost
    /// Nobody calls.
    case idle
  }

  private let interval: Duration
  private let idleMax: Duration?
  private var lastHeard: LoopInstant
  private var lastInUse: LoopInstant
  private var pinged: LoopInstant?
  private var lastPing: UInt32 = 0

  /// A connection that was made at `now`, with a peer that wants no pings more often than every `peerIntervalMin`.
  init(_ options: Options, now: LoopInstant, peerIntervalMin: Duration = .zero) {
    interval = max(options.interval, peerIntervalMin)
    idleMax = options.idleMax
    (lastHeard, lastInUse) = (now, now)
  }

  /// Something came from the peer.
  mutating func heard(at now: LoopInstant) { lastHeard = now }

  /// A call began; it may be answered before anybody looks at the clock.
  mutating func called(at now: LoopInstant) { lastInUse = now }

  /// Looks at the clock; to be called several times in an interval.
  mutating func check(now: LoopInstant, openCalls: Int) -> Action {
    if openCalls > 0 { lastInUse = now }
    if let idleMax, now - lastInUse >= idleMax { return .idle }
    if let pinged, pinged >= lastHeard { return now - pinged >= interval ? .lost : .nothing }
    pinged = nil
    guard now - lastHeard >= interval else { return .nothing }
    pinged = now
    lastPing &+= 1
    return .ping(lastPing)
  }
}
