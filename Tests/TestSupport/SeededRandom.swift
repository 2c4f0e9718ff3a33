internal import Foundation

/// Random numbers that a seed replays (SplitMix64).
package struct SeededRandom: RandomNumberGenerator {
  /// What the numbers follow from.
  package let seed: UInt64
  private var state: UInt64

  /// The numbers of `seed`; of `GOZON_TEST_SEED`, or else of a new one each run, when none is given.
  ///
  /// A test says the seed in the comment of each expectation, so that a failure can be replayed.
  package init(seed: UInt64? = nil) {
    let chosen = ProcessInfo.processInfo.environment["GOZON_TEST_SEED"].flatMap { UInt64($0) }
    self.seed = seed ?? chosen ?? UInt64.random(in: 0...UInt64.max)
    state = self.seed
  }

  /// So many of new seeds, or only the one of `GOZON_TEST_SEED`.
  package static func several(_ count: Int) -> [SeededRandom] {
    let first = SeededRandom()
    if ProcessInfo.processInfo.environment["GOZON_TEST_SEED"] != nil { return [first] }
    return (0..<UInt64(count)).map { SeededRandom(seed: first.seed &+ $0) }
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// So many random bytes.
  package mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
  }
}
