internal import EventLoop

/// Counts values by their size, in classes that double: nothing is allocated when one is counted.
package struct Histogram: Sendable, Equatable {
  /// What the values are, and which bounds of classes are told of. A value of class `i` is below 2 to the power of `i`.
  package enum Scale: Sendable {
    /// Whole numbers up to 4,095.
    case counts
    /// Microseconds, told as seconds: from 64 microseconds to half a minute.
    case durations

    /// The classes that are told of one by one.
    var classes: ClosedRange<Int> {
      switch self {
      case .counts: 1...12
      case .durations: 6...25
      }
    }

    /// The greatest value of a class and those below it, in the unit of the metric.
    func bound(of index: Int) -> Double {
      switch self {
      case .counts: Double((1 << index) - 1)
      case .durations: Double(1 << index) / 1e6
      }
    }

    /// What a value is worth in the unit of the metric.
    var unit: Double {
      switch self {
      case .counts: 1
      case .durations: 1e-6
      }
    }
  }

  /// The values of each class: of class `i` are those that have `i` bits. The last one has no bound.
  package private(set) var classes: [UInt64]
  /// All values together.
  package private(set) var sum: UInt64

  /// Values that were counted before; nothing when none are given.
  package init(classes: [UInt64] = [UInt64](repeating: 0, count: 27), sum: UInt64 = 0) {
    self.classes = classes
    self.sum = sum
  }

  /// How many values were counted.
  package var count: UInt64 { classes.reduce(0, &+) }

  /// Counts a value.
  package mutating func record(_ value: Int) {
    let value = UInt64(max(0, value))
    classes[min(UInt64.bitWidth - value.leadingZeroBitCount, classes.count - 1)] &+= 1
    sum &+= value
  }

  /// Counts a duration in microseconds.
  package mutating func record(_ duration: Duration) {
    record(Int(duration.nanoseconds / 1_000))
  }

  /// How many values are of a class up to `index`.
  func count(upTo index: Int) -> UInt64 { classes.prefix(index + 1).reduce(0, &+) }
}
