/// The parts that large tables are summed up in, by a hash of their keys.
struct Buckets: Sendable {
  /// Enough that a few rows that are wrong leave most of a table alone, and few enough to tell of each.
  static let all = Buckets(count: 4096)
  /// Rows that a closer look takes at once, about.
  private static let rowsMax: Int64 = 200_000

  /// How many there are, a power of two.
  let count: Int32

  /// The bits of a hash that number a bucket.
  var mask: Int32 { count - 1 }

  /// The numbers in groups to be looked at one after the other, when all buckets together have so many rows.
  func groups(of numbers: [Int32], rows: Int64) -> [[Int32]] {
    let size = Int(max(1, min(Int64(count), Self.rowsMax * Int64(count) / max(1, rows))))
    return stride(from: 0, to: numbers.count, by: size).map { Array(numbers[$0..<min(numbers.count, $0 + size)]) }
  }
}
