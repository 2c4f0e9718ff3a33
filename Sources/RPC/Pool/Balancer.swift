internal import EventLoop

/// Which connection of a pool takes the next call: the less loaded of two that are drawn among the best. No I/O.
///
/// The best are those that are connected, whose servers serve, and that do not fail one call after the other. Where there
/// are none of these, those are taken that only fail, and then those whose servers do not serve: they can say why.
struct Balancer {
  /// Calls in a row that a connection fails before others are taken instead.
  static let failuresMax = 5
  /// How long they are.
  static let ejectionTime: Duration = .seconds(5)

  private struct Member {
    var isConnected = false
    var isServing = false
    var failures = 0
    var ejectedUntil: LoopInstant?
    /// The number of the last pick that drew it.
    var lastPick: UInt64 = 0

    /// Lower is better; nil when no call can begin.
    var rank: Int? { isConnected ? (isServing ? (ejectedUntil == nil ? 0 : 1) : 2) : nil }
  }

  private var members: [Member]
  /// The members of the best rank.
  private(set) var best: [Int] = []
  private var nextReadmission = LoopInstant(nanoseconds: .max)
  private var picks: UInt64 = 0
  /// The state of the dice (SplitMix64): fairness is all that is asked of them.
  private var dice: UInt64

  /// So many members, none of them connected; what is drawn follows from `seed`.
  init(count: Int, seed: UInt64 = .random(in: 0...UInt64.max)) {
    members = Array(repeating: Member(), count: count)
    dice = seed
  }

  /// Whether a call can begin.
  var isReady: Bool { !best.isEmpty }

  /// Whether calls can begin on that member.
  func isConnected(_ member: Int) -> Bool { members[member].isConnected }

  /// What is known of a member's connection and server; a new connection begins without a record.
  mutating func stateChanged(_ member: Int, isConnected: Bool, isServing: Bool) {
    if isConnected != members[member].isConnected {
      (members[member].failures, members[member].ejectedUntil) = (0, nil)
    }
    members[member].isConnected = isConnected
    members[member].isServing = isServing
    rank()
  }

  /// A call on that member was answered, whatever the answer.
  mutating func answered(_ member: Int) { members[member].failures = 0 }

  /// A call on that member ended with UNAVAILABLE.
  mutating func failed(_ member: Int, now: LoopInstant) {
    guard members[member].isConnected else { return }
    members[member].failures += 1
    guard members[member].failures >= Self.failuresMax else { return }
    members[member].failures = 0
    members[member].ejectedUntil = now + Self.ejectionTime
    rank()
  }

  /// Two members of the best that the next call may go to, of which ``choose(_:_:)`` takes one; the same one twice when
  /// there is no other, and nil when none is connected.
  ///
  /// - Parameter avoided: a member that is drawn only when there is no other of its rank.
  mutating func draw(avoiding avoided: Int? = nil, now: LoopInstant) -> (Int, Int)? {
    if now >= nextReadmission { readmit(now) }
    switch best.count {
    case 0: return nil
    case 1: return (best[0], best[0])
    default:
      let first = roll(best.count)
      let second = roll(best.count - 1)
      let pair = (best[first], best[second < first ? second : second + 1])
      if pair.0 == avoided { return (pair.1, pair.1) }
      return pair.1 == avoided ? (pair.0, pair.0) : pair
    }
  }

  /// The one with fewer calls under way, or else the one that was taken longer ago.
  mutating func choose(_ one: (member: Int, load: Int), _ other: (member: Int, load: Int)) -> Int {
    let isOther =
      one.load == other.load ? members[other.member].lastPick < members[one.member].lastPick : other.load < one.load
    let chosen = isOther ? other.member : one.member
    picks += 1
    members[chosen].lastPick = picks
    return chosen
  }

  /// A number below `bound`.
  private mutating func roll(_ bound: Int) -> Int {
    dice &+= 0x9E37_79B9_7F4A_7C15
    var mixed = dice
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((mixed ^ (mixed >> 31)).multipliedFullWidth(by: UInt64(bound)).high)
  }

  private mutating func readmit(_ now: LoopInstant) {
    for index in members.indices where members[index].ejectedUntil.map({ $0 <= now }) ?? false {
      members[index].ejectedUntil = nil
    }
    rank()
  }

  private mutating func rank() {
    let lowest = members.compactMap(\.rank).min()
    best = lowest.map { lowest in members.indices.filter { members[$0].rank == lowest } } ?? []
    nextReadmission = members.compactMap(\.ejectedUntil).min() ?? LoopInstant(nanoseconds: .max)
  }
}
