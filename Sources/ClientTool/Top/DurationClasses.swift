/// Calls counted by how long they took, as inspection tells it: class `i` holds those that took less than 2 to the power
/// of `i` microseconds, and not less than half of that.
struct DurationClasses: Equatable, Sendable {
  /// The calls of each class.
  let counts: [UInt64]

  /// The calls that `later` has more than `earlier`. A server that was started anew counts from 0.
  init(_ later: [UInt64], since earlier: [UInt64]) {
    let isNewer = later.count == earlier.count && zip(later, earlier).allSatisfy { $0 >= $1 }
    counts = isNewer ? zip(later, earlier).map { $0 - $1 } : later
  }

  /// The calls of all classes.
  var total: UInt64 { counts.reduce(0, &+) }

  /// The duration in microseconds that `fraction` (0 to 1) of the calls did not exceed, taken to be spread evenly over
  /// their class; nil when there were none.
  func quantile(_ fraction: Double) -> Double? {
    let wanted = fraction * Double(total)
    var seen = 0.0
    for (index, count) in counts.enumerated() where count > 0 {
      if seen + Double(count) >= wanted {
        let lower = index == 0 ? 0 : Double(UInt64(1) << UInt64(min(index - 1, 63)))
        let upper = index == 0 ? 1 : lower * 2
        return lower + (upper - lower) * max(0, wanted - seen) / Double(count)
      }
      seen += Double(count)
    }
    return nil
  }
}
