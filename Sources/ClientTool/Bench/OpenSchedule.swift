/// When the calls of an open load are due: evenly spaced, whatever became of the calls before. Times in nanoseconds.
struct OpenSchedule: Sendable {
  let callsPerSecond: Int
  let start: UInt64
  private(set) var end: UInt64
  /// Whether calls that are late are left out at the end: not when a number of them was asked for.
  private var isCutByTime = true
  /// Calls that were taken.
  private(set) var taken = 0

  /// Calls at this rate from `start` until `end`.
  init(callsPerSecond: Int, start: UInt64, end: UInt64) {
    self.callsPerSecond = callsPerSecond
    self.start = start
    self.end = end
  }

  /// When the next call is due.
  var nextDue: UInt64 { due(taken) }

  private func due(_ place: Int) -> UInt64 {
    let (seconds, rest) = place.quotientAndRemainder(dividingBy: callsPerSecond)
    return start + UInt64(seconds) * 1_000_000_000 + UInt64(rest) * 1_000_000_000 / UInt64(callsPerSecond)
  }

  /// Ends behind the last of `count` calls that are due at `time` or later, however late they are taken.
  mutating func end(after count: Int, from time: UInt64) {
    var first = Int((Double(time - start) / 1_000_000_000 * Double(callsPerSecond)).rounded(.down))
    while due(first) < time { first += 1 }
    end = due(first + count)
    isCutByTime = false
  }

  /// Whether no call is to be taken any more at `now`.
  func isOver(now: UInt64) -> Bool { nextDue >= end || (isCutByTime && now >= end) }

  /// Takes the next call if it is due by now; returns when it was.
  mutating func take(now: UInt64) -> UInt64? {
    let due = nextDue
    guard due <= now, due < end else { return nil }
    taken += 1
    return due
  }

  /// Takes no calls any more; returns how many are left over that were due by `now`, and not before `time`.
  mutating func close(now: UInt64, from time: UInt64) -> Int {
    var count = 0
    while let due = take(now: now) { count += due >= time ? 1 : 0 }
    return count
  }
}
