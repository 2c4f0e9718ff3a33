package import Wire

/// A part of the table `outbox` that is written for a while, then left alone for a while, then swept and truncated. No I/O.
///
/// Nothing depends on clocks that agree: a row that is written late or early is swept with those that it finds there, and if
/// its order has no result then, it is sent again a little early.
package struct OutboxSlot: Equatable, Sendable {
  /// How many slots there are.
  package static let count: Int16 = 4
  /// How long each is written, and how long it is left alone at least: the time in which most orders are settled.
  package static let seconds: Int64 = 5

  /// Which one: 0, 1, 2, 3.
  package let number: Int16

  /// The slot of that number.
  package init(_ number: Int16) { self.number = number }

  /// The slot that is written at `time`.
  package init(at time: Timestamp) { number = Int16(Self.turn(at: time) % Int64(Self.count)) }

  /// Counts the times that another slot became the one that is written.
  static func turn(at time: Timestamp) -> Int64 { max(0, time.microseconds) / (seconds * 1_000_000) }

  /// The slot to be swept while `self` is written: the one that was written before the last.
  package var toBeSwept: OutboxSlot { OutboxSlot((number + Self.count - 2) % Self.count) }
}
