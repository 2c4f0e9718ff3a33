internal import CUV

/// A point on the loop's monotonic clock.
package struct LoopInstant: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Nanoseconds since an arbitrary start.
  package let nanoseconds: UInt64

  /// The instant so many nanoseconds after the clock's start.
  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  /// Now, read from the system each time; ``EventLoop/now`` is when the loop's turn began.
  package static var current: LoopInstant { LoopInstant(nanoseconds: uv_hrtime()) }

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

  /// The instant so many milliseconds later; saturates at the end of the clock.
  package func adding(milliseconds: UInt32) -> LoopInstant {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(UInt64(milliseconds) * 1_000_000)
    return LoopInstant(nanoseconds: overflow ? .max : sum)
  }

  /// The whole milliseconds from `earlier` until this instant, rounded up; 0 when it is past.
  package func milliseconds(since earlier: LoopInstant) -> UInt64 {
    nanoseconds <= earlier.nanoseconds ? 0 : (nanoseconds - earlier.nanoseconds + 999_999) / 1_000_000
  }

  /// The time from `right` to `left`; negative when `left` is earlier.
  package static func - (left: LoopInstant, right: LoopInstant) -> Duration {
    .nanoseconds(Int64(bitPattern: left.nanoseconds &- right.nanoseconds))
  }
}

extension Duration {
  /// The whole duration in nanoseconds, saturated to 64 bits (292 years).
  package var nanoseconds: Int64 {
    // Up to 18 seconds it fits into a word, which is far cheaper to divide.
    if let small = UInt64(exactly: attoseconds) { return Int64(small / 1_000_000_000) }
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
