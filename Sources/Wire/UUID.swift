/// A universally unique identifier of 16 bytes (RFC 9562), ordered as its bytes are.
public struct UUID: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// The first eight bytes of the text form, the first of them most significant.
  public var high: UInt64
  /// The last eight bytes of the text form, the first of them most significant.
  public var low: UInt64

  /// The identifier with these halves.
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The nil UUID (RFC 9562 section 5.9): all bits zero.
  public static var zero: UUID { UUID(high: 0, low: 0) }

  /// Orders by the bytes, so that identifiers of version 7 sort by their time.
  public static func < (left: UUID, right: UUID) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }

  /// A new identifier of version 7 (RFC 9562 section 5.7): the time to a quarter of a microsecond, then 62 random bits.
  ///
  /// - Parameter random: where the random bits come from; from the system unless given.
  ///
  /// The bits after the milliseconds carry the fraction of the millisecond (section 6.2, method 3), so that identifiers
  /// made one after another sort in that order even within a millisecond.
  public static func v7(_ now: Timestamp, random: UInt64 = .random(in: 0 ... .max)) -> UUID {
    let microseconds = UInt64(max(0, now.microseconds))
    let (milliseconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1000)
    let fraction = rest * 4096 / 1000
    return UUID(
      high: milliseconds << 16 | 7 << 12 | fraction,
      low: 0b10 << 62 | random >> 2)
  }
}
