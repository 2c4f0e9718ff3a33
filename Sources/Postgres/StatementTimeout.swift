internal import EventLoop

/// What `statement_timeout` a session has, and which it needs for a deadline. No I/O.
///
/// The time left is rounded up to one of a few steps (10 ms, 20 ms, 50 ms, 100 ms, ...), so that callers with about the same deadline share a setting and
/// the usual deadline needs no change at all. What the rounding adds is not waited for: a caller's own clock ends its
/// wait, and stops the statement.
struct StatementTimeout {
  /// The shortest setting, in milliseconds: less would only tell statements from each other that end by themselves.
  private static let stepMin: UInt64 = 10
  /// The longest: the server counts in 32 bits, and a deadline that far away is none.
  private static let stepMax: UInt64 = 1_000_000_000

  /// What a statement without a deadline may take, in milliseconds; 0 for ever.
  let millisecondsMax: UInt64
  /// What the session has, as far as it is known.
  private var current: UInt64?

  /// A session that has the longest setting.
  init(max: Duration) {
    millisecondsMax = max.millisecondsRoundedUp
    current = millisecondsMax
  }

  /// The setting, in milliseconds, for statements that are waited for until `deadline`.
  func step(for deadline: LoopInstant?, now: LoopInstant) -> UInt64 {
    guard let deadline else { return millisecondsMax }
    let left = deadline.milliseconds(since: now)
    if millisecondsMax > 0 ? left >= millisecondsMax : left > Self.stepMax { return millisecondsMax }
    var decade = Self.stepMin
    while left > decade * 5 { decade *= 10 }
    let step = left > decade * 2 ? decade * 5 : left > decade ? decade * 2 : decade
    return millisecondsMax > 0 ? min(step, millisecondsMax) : step
  }

  /// The setting that the session has to be given for `deadline`; nil when it has it.
  mutating func change(for deadline: LoopInstant?, now: LoopInstant) -> UInt64? {
    let step = step(for: deadline, now: now)
    if step == current { return nil }
    current = step
    return step
  }

  /// It is not known whether the last change was made.
  mutating func changeFailed() { current = nil }
}
