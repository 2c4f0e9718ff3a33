/// What a load did over time: slots of equal length, which double when there would be too many.
struct LoadTimeline: Sendable {
  /// What happened in a slot.
  struct Slot: Equatable, Sendable {
    /// Calls that were answered with OK.
    var calls = 0
    /// Calls that failed.
    var failures = 0
    /// Messages of streams that came or went.
    var messages = 0

    fileprivate static func + (left: Slot, right: Slot) -> Slot {
      Slot(
        calls: left.calls + right.calls, failures: left.failures + right.failures,
        messages: left.messages + right.messages)
    }
  }

  /// The most slots.
  static let slotsMax = 240
  /// The length of the first slots, in nanoseconds.
  static let slotNanosecondsMin: UInt64 = 50_000_000

  /// The length of a slot.
  private(set) var slotNanoseconds = slotNanosecondsMin
  /// From the beginning of the measurement.
  private(set) var slots = [Slot()]
  /// Where the last slot ends.
  private var end = slotNanosecondsMin

  /// Counts a call that was answered so long after the beginning; the times of whatever is counted never go back.
  mutating func countCall(at nanoseconds: UInt64) {
    if nanoseconds >= end { grow(to: nanoseconds) }
    slots[slots.count - 1].calls += 1
  }

  /// Counts a call that failed.
  mutating func countFailure(at nanoseconds: UInt64) {
    if nanoseconds >= end { grow(to: nanoseconds) }
    slots[slots.count - 1].failures += 1
  }

  /// Counts a message.
  mutating func countMessage(at nanoseconds: UInt64) {
    if nanoseconds >= end { grow(to: nanoseconds) }
    slots[slots.count - 1].messages += 1
  }

  private mutating func grow(to nanoseconds: UInt64) {
    while nanoseconds / slotNanoseconds >= Self.slotsMax {
      slotNanoseconds *= 2
      slots = stride(from: 0, to: slots.count, by: 2).map { index in
        index + 1 < slots.count ? slots[index] + slots[index + 1] : slots[index]
      }
    }
    let count = Int(nanoseconds / slotNanoseconds) + 1
    slots += Array(repeating: Slot(), count: max(0, count - slots.count))
    end = UInt64(slots.count) * slotNanoseconds
  }
}
