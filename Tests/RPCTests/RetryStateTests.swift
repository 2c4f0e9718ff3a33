import Testing

@testable import RPC

@Suite struct RetryStateTests {
  private static let lost = RPCError(.unavailable, "the connection was lost", reason: "CONNECTION_LOST")

  private static func policy(attempts: Int = 10, attemptTimeout: Duration? = nil) -> RetryPolicy {
    var policy = RetryPolicy()
    policy.attemptsMax = attempts
    policy.attemptTimeout = attemptTimeout
    return policy
  }

  /// What follows each of the errors, with a budget of its own.
  private static func decisions(
    _ errors: [RPCError], policy: RetryPolicy = policy(), isRepeatable: Bool = true, timeLeft: Duration = .seconds(10),
    jitter: Double = 0
  ) -> [RetryState.Decision] {
    var (state, budget) = (RetryState(policy: policy, isRepeatable: isRepeatable), RetryBudget())
    return errors.map { state.attemptFailed($0, timeLeft: timeLeft, budget: &budget, jitter: jitter) }
  }

  @Test func `the waits double up to a bound, with a fifth of jitter either way`() {
    let waits = Self.decisions(Array(repeating: Self.lost, count: 8))
    #expect(waits == [20, 40, 80, 160, 320, 640, 1_000, 1_000].map { .retry(after: .milliseconds($0)) })
    #expect(Self.decisions([Self.lost], jitter: 1) == [.retry(after: .milliseconds(24))])
    #expect(Self.decisions([Self.lost], jitter: -1) == [.retry(after: .milliseconds(16))])
  }

  @Test func `there are no more attempts than the policy says`() {
    let lost = Array(repeating: Self.lost, count: 3)
    #expect(Self.decisions(lost, policy: Self.policy(attempts: 3)).map { $0 == .fail } == [false, false, true])
    #expect(Self.decisions([Self.lost], policy: Self.policy(attempts: 1)) == [.fail])
  }

  @Test func `a call whose repeat may do harm is never repeated`() {
    #expect(Self.decisions([Self.lost], isRepeatable: false) == [.fail])
  }

  @Test(arguments: [
    StatusCode.unknown, .invalidArgument, .deadlineExceeded, .notFound, .aborted, .internal, .resourceExhausted,
    .cancelled, .failedPrecondition, .unimplemented,
  ])
  func `other errors are final`(code: StatusCode) {
    #expect(Self.decisions([RPCError(code, "no")]) == [.fail])
  }

  @Test func `a server that says when to come back is believed, within the deadline`() {
    let busy = RPCError(.resourceExhausted, "busy", retryAfter: .milliseconds(700))
    let away = RPCError(.unavailable, "away", retryAfter: .seconds(3))
    #expect(Self.decisions([busy, away]) == [.retry(after: .milliseconds(700)), .retry(after: .seconds(3))])
    #expect(Self.decisions([away], timeLeft: .seconds(3)) == [.fail])
    #expect(Self.decisions([away], timeLeft: .milliseconds(3_001)) == [.retry(after: .seconds(3))])
  }

  @Test func `no attempt begins past the deadline`() {
    #expect(Self.decisions([Self.lost], timeLeft: .milliseconds(20)) == [.fail])
    #expect(Self.decisions([Self.lost], timeLeft: .milliseconds(21)) == [.retry(after: .milliseconds(20))])
    #expect(Self.decisions([Self.lost], timeLeft: .milliseconds(-1)) == [.fail])
  }

  @Test func `an attempt that took its own time is followed by another, a call that took all of it is not`() {
    let slow = RPCError(.deadlineExceeded, "no answer")
    let policy = Self.policy(attemptTimeout: .milliseconds(100))
    #expect(Self.decisions([slow], policy: policy) == [.retry(after: .milliseconds(20))])
    #expect(Self.decisions([slow], policy: policy, timeLeft: .zero) == [.fail])
    let state = RetryState(policy: policy, isRepeatable: true)
    #expect(state.attemptTimeout(timeLeft: .seconds(1)) == .milliseconds(100))
    #expect(state.attemptTimeout(timeLeft: .milliseconds(30)) == .milliseconds(30))
  }

  @Test func `half of the budget is for repeats, and successes bring it back`() {
    var budget = RetryBudget(tokensMax: 10)
    var repeats = 0
    for _ in 0..<20 {
      var state = RetryState(policy: Self.policy(), isRepeatable: true)
      let decision = state.attemptFailed(Self.lost, timeLeft: .seconds(1), budget: &budget, jitter: 0)
      if decision != .fail { repeats += 1 }
    }
    #expect(repeats == 4 && budget.tokens == 0 && !budget.allowsRepeat)
    for _ in 0..<50 { budget.succeeded() }
    #expect(budget.tokens == 5 && !budget.allowsRepeat)
    budget.succeeded()
    #expect(budget.allowsRepeat)
    for _ in 0..<1_000 { budget.succeeded() }
    #expect(budget == RetryBudget(tokensMax: 10))
  }
}
