internal import Glibc

/// Counts durations in buckets that widen with the duration, as HdrHistogram does: any number of samples from a
/// nanosecond to centuries, each known within 0.8 %, in 59 KB.
struct LatencyHistogram: Sendable {
  /// Each doubling of the value is cut into 2 to the power of so many buckets.
  private static let precisionBits = 7
  private static let bucketsPerDoubling = 1 << precisionBits

  private var counts = [UInt64](repeating: 0, count: (65 - precisionBits) * bucketsPerDoubling)
  /// How many durations were recorded.
  private(set) var count: UInt64 = 0
  /// The longest of them.
  private(set) var max: UInt64 = 0
  private var sum = 0.0

  /// Counts a duration.
  mutating func record(nanoseconds: UInt64) {
    counts[Self.bucket(of: nanoseconds)] += 1
    count += 1
    sum += Double(nanoseconds)
    if nanoseconds > max { max = nanoseconds }
  }

  /// The duration in nanoseconds that `fraction` (0 to 1) of the durations do not exceed; 0 when there are none.
  func quantile(_ fraction: Double) -> UInt64 {
    let wanted = Swift.max(1, UInt64((fraction * Double(count)).rounded(.up)))
    var seen: UInt64 = 0
    for (bucket, number) in counts.enumerated() where number > 0 {
      seen += number
      if seen >= wanted { return Swift.min(Self.most(in: bucket), max) }
    }
    return max
  }

  /// The mean in nanoseconds; 0 when there are no durations.
  var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// For each duration that occurred, in order, the fraction of the durations that did not exceed it.
  var cumulative: [(nanoseconds: UInt64, fraction: Double)] {
    var seen: UInt64 = 0
    return counts.enumerated().compactMap { bucket, number in
      guard number > 0 else { return nil }
      seen += number
      return (Swift.min(Self.most(in: bucket), max), Double(seen) / Double(count))
    }
  }

  /// The durations in bars of equal width on a logarithmic axis, so many for each doubling: where each begins, in
  /// nanoseconds, and how many it holds, from the first that holds any. The last one holds none, and says where the one
  /// before it ends.
  func bars(perDoubling: Int) -> [(nanoseconds: Double, count: UInt64)] {
    var bars: [Int: UInt64] = [:]
    for (bucket, number) in counts.enumerated() where number > 0 {
      let bar = (log2(Double(Swift.max(1, Self.most(in: bucket)))) * Double(perDoubling)).rounded(.down)
      bars[Int(bar), default: 0] += number
    }
    guard let first = bars.keys.min(), let last = bars.keys.max() else { return [] }
    return (first...(last + 1)).map { (exp2(Double($0) / Double(perDoubling)), bars[$0] ?? 0) }
  }

  /// Small values have a bucket each; from there on the leading bits choose.
  private static func bucket(of value: UInt64) -> Int {
    let excessBits = Swift.max(0, 63 - precisionBits - value.leadingZeroBitCount)
    return excessBits << precisionBits + Int(value >> UInt64(excessBits))
  }

  /// The largest value of a bucket.
  private static func most(in bucket: Int) -> UInt64 {
    let excessBits = Swift.max(0, bucket >> precisionBits - 1)
    let leading = UInt64(bucket - excessBits << precisionBits)
    return leading << UInt64(excessBits) | (1 << UInt64(excessBits) - 1)
  }
}
