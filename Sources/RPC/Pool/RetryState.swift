internal import Wire

/// The attempts of one call: decides after each failure whether there is another, and when. No I/O, no clock, no dice.
struct RetryState {
  /// What follows a failed attempt.
  enum Decision: Equatable {
    /// The call has failed.
    case fail
    /// The next attempt begins after this time.
    case retry(after: Duration)
  }

  private let policy: RetryPolicy
  private let isRepeatable: Bool
  /// The number of the attempt that is under way, from 1.
  private(set) var attempt = 1

  /// The first attempt of a call.
  init(policy: RetryPolicy, isRepeatable: Bool) {
    self.policy = policy
    self.isRepeatable = isRepeatable
  }

  /// The time of the next attempt, when so much is left for the call.
  func attemptTimeout(timeLeft: Duration) -> Duration { policy.attemptTimeout.map { min($0, timeLeft) } ?? timeLeft }

  /// Whether `error` is one that another attempt may not meet. UNAVAILABLE is; RESOURCE_EXHAUSTED when the server says
  /// when to come back; DEADLINE_EXCEEDED when it was the attempt's own time that ran out.
  func isTransient(_ error: RPCError, timeLeft: Duration) -> Bool {
    switch error.code {
    case .unavailable: true
    case .resourceExhausted: error.retryAfter != nil
    case .deadlineExceeded: policy.attemptTimeout != nil && timeLeft > .zero
    default: false
    }
  }

  /// The attempt failed with `error` when so much time was left for the call.
  ///
  /// - Parameter jitter: -1 to 1.
  mutating func attemptFailed(
    _ error: RPCError, timeLeft: Duration, budget: inout RetryBudget, jitter: Double
  ) -> Decision {
    guard isTransient(error, timeLeft: timeLeft) else { return .fail }
    budget.take()
    guard isRepeatable, attempt < policy.attemptsMax, budget.allowsRepeat else { return .fail }
    let delay = error.retryAfter ?? backoff * (1 + 0.2 * jitter)
    guard delay < timeLeft else { return .fail }
    attempt += 1
    return .retry(after: delay)
  }

  /// The wait after the present attempt, without jitter.
  private var backoff: Duration {
    min(policy.backoffMin * (1 << min(attempt - 1, 20)), policy.backoffMax)
  }
}
