/// What a client of HTTP/2 makes the server do for nothing, held against a budget.
///
/// Frames without a request's progress (pings, settings, resets, empty data, window updates of a few bytes) cost, time and
/// useful work earn. A client that has used up its budget is sent away: so each known flood (RFC 9113 section 10.5) costs
/// the server no more than a second's work or so.
struct HTTP2FloodMeter {
  /// What a new connection may spend, and what is saved at most: a page of a hundred streams, all of them cancelled, costs
  /// 200.
  private static let budgetMax = 1_000
  /// What a second earns.
  private static let earnedPerSecond = 100

  private var budget = budgetMax

  /// Whether nothing is left.
  var isExceeded: Bool { budget < 0 }

  /// A frame of that cost came.
  mutating func spend(_ cost: Int) { budget -= cost }

  /// Something useful was done.
  mutating func earn(_ amount: Int) { budget = min(Self.budgetMax, budget + amount) }

  /// Time went by.
  mutating func elapsed(seconds: Double) { earn(Int(Double(Self.earnedPerSecond) * seconds)) }
}
