/// A point on the loop's monotonic clock.
package struct LoopInstant: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Nanoseconds since an arbitrary start.
  package let nanoseconds: UInt64

  /// The instant so many nanoseconds after the clock's start.
  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  package static func < (left: LoopInstant, right: LoopInstant) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The instant `duration` later; saturates at both ends of the clock.
  package static func + (instant: LoopInstant, duration: Duration) -> LoopInstant {
    let shift = duration.nanoseconds
    if shift >= 0 {
      let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(UInt64(shift))
      return LoopInstant(nanoseconds: overflow ? .max : sum)
    }
    let back = shift.magnitude
    return LoopInstant(nanoseconds: instant.nanoseconds > back ? instant.nanoseconds - back : 0)
  }

  /// The time from `right` to `left`; negative when `left` is earlier.
  package static func - (left: LoopInstant, right: LoopInstant) -> Duration {
    .nanoseconds(Int64(bitPattern: left.nanoseconds &- right.nanoseconds))
  }
}

extension Duration {
  /// The whole duration in nanoseconds, saturated to 64 bits (292 years).
  package var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    let (sum, carried) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    return carried ? (seconds < 0 ? .min : .max) : sum
  }

  /// The whole duration in milliseconds, rounded up, never negative.
  package var millisecondsRoundedUp: UInt64 {
    let whole = nanoseconds
    return whole <= 0 ? 0 : (UInt64(whole) + 999_999) / 1_000_000
  }
}
