/// When a pool makes a call again.
///
/// Calls that a server provably never saw are made elsewhere whatever the policy. All others only where a repeat does no
/// harm: see ``CallOptions/isRepeatable``.
package struct RetryPolicy: Sendable {
  /// Attempts of a call at most, the first one included; 1 never repeats.
  package var attemptsMax = 3
  /// The time of one attempt of a unary call that may be repeated; nil gives each all the time that is left.
  package var attemptTimeout: Duration?
  /// The wait before the second attempt; it doubles up to ``backoffMax``, with 20 % of jitter either way. A server that
  /// says how long to wait is believed instead.
  package var backoffMin: Duration = .milliseconds(20)
  /// The longest wait of our own choice.
  package var backoffMax: Duration = .seconds(1)
  /// After this time without an answer, a unary call that may be repeated is made at a second server too, and the first
  /// answer counts; nil never does that.
  package var hedgingDelay: Duration?
  /// The tokens of the budget that all calls share.
  package var budgetTokensMax = 1_000

  /// Three attempts, no hedging.
  package init() {}
}
