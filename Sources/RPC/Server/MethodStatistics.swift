internal import EventLoop

/// What became of the calls of one method. A value without a clock of its own.
package struct MethodStatistics: Sendable, Equatable {
  /// Upper bounds of the classes of duration, in microseconds: powers of two up to half a minute. The last has no bound.
  package static let boundsMicroseconds: [UInt64] = (0..<26).map { 1 << $0 }

  /// Calls that began.
  package private(set) var started: UInt64 = 0
  /// Calls that ended, by the number of their status.
  package private(set) var ended = [UInt64](repeating: 0, count: 17)
  /// Calls that ended, by how long they took: class `i` took less than bound `i`, and not less than the one before.
  package private(set) var durations = [UInt64](repeating: 0, count: 27)
  /// The time that all ended calls took together, in microseconds.
  package private(set) var durationMicroseconds: UInt64 = 0

  /// Calls under way.
  package var active: UInt64 { started - ended.reduce(0, +) }

  /// A call began.
  mutating func callStarted() { started &+= 1 }

  /// A call ended with `status` after `duration`.
  mutating func callEnded(_ status: StatusCode, after duration: Duration) {
    let microseconds = UInt64(max(0, duration.nanoseconds)) / 1_000
    ended[Int(status.rawValue)] &+= 1
    durationMicroseconds &+= microseconds
    let bits = UInt64.bitWidth - microseconds.leadingZeroBitCount
    durations[min(bits, durations.count - 1)] &+= 1
  }
}
