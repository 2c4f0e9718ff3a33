/// What keeps repeats from drowning servers that are in trouble already: a bucket of tokens, as gRPC's proposal A6 has it.
///
/// Each failure takes a token and each success gives a part of one back; calls are repeated while more than half of the
/// tokens are there. So a burst of failures is made good, and under lasting trouble repeats are a tenth of the calls.
package struct RetryBudget: Sendable, Equatable {
  /// Thousandths of a token that a success gives back.
  private static let successMillitokens = 100

  private let millitokensMax: Int
  private var millitokens: Int

  /// A full bucket of 2 tokens or more: half as many failures in a row are made good.
  package init(tokensMax: Int = 1_000) {
    millitokensMax = max(2, tokensMax) * 1_000
    millitokens = millitokensMax
  }

  /// The tokens that are there.
  package var tokens: Double { Double(millitokens) / 1_000 }

  /// Whether a call may be made once more.
  package var allowsRepeat: Bool { millitokens > millitokensMax / 2 }

  /// A call succeeded.
  mutating func succeeded() {
    if millitokens < millitokensMax { millitokens = min(millitokensMax, millitokens + Self.successMillitokens) }
  }

  /// A call failed in a way that repeats are for, or was hedged.
  mutating func take() { millitokens = max(0, millitokens - 1_000) }
}
