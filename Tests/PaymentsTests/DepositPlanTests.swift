import API
import Idempotency
import Testing
import Wire

@testable import Payments

@Suite struct DepositPlanTests {
  private static let users = [UUID(high: 1, low: 1), UUID(high: 1, low: 2)]
  private static let stranger = UUID(high: 1, low: 3)

  private static func deposit(
    _ number: UInt64, _ amount: Int64, user: UUID = users[0], key: String? = nil, request: [UInt8] = [1]
  ) -> NewDeposit {
    NewDeposit(
      id: UUID(high: 9, low: number), userID: user, amount: amount, createdAt: .zero,
      idempotency: key.map { keyed($0, request) })
  }

  private static func keyed(_ key: String, _ request: [UInt8] = [1]) -> IdempotentRequest {
    IdempotentRequest(IdempotencyKey(key, method: "Deposit"), request: request)
  }

  private static func plan(_ deposits: [NewDeposit], keyed: [KeyedAnswer] = []) -> DepositPlan {
    let accounts = users.map { ($0, AccountState(currency: "RUB", balance: 100, deposited: 1_000, entries: 3)) }
    return DepositPlan(
      of: deposits, answers: KeyedAnswers(keyed), accounts: Dictionary(uniqueKeysWithValues: accounts))
  }

  private static func word(_ outcome: IdempotentOutcome<Deposit>) -> String {
    switch outcome {
    case .done(let deposit): "done \(deposit.id.low) \(deposit.balance)"
    case .replayed(let deposit): "replayed \(deposit.id.low) \(deposit.balance)"
    default: "\(outcome)"
    }
  }

  @Test func `deposits follow each other on their accounts`() {
    let plan = Self.plan([Self.deposit(1, 5), Self.deposit(2, 7, user: Self.users[1]), Self.deposit(3, 1)])
    #expect(plan.outcomes.map(Self.word) == ["done 1 105", "done 2 107", "done 3 106"])
    #expect(plan.ledger.entries.map(\.cause.low) == [1, 2, 3] && plan.ledger.entries.map(\.number) == [4, 4, 5])
    #expect(plan.answers.new.isEmpty)
    guard case .done(let deposit) = plan.outcomes[0] else { return }
    #expect(deposit.currency == "RUB" && deposit.amount == 5 && deposit.userId == Self.users[0])
  }

  @Test func `a key in a batch works once, and remembers its first response`() throws {
    let plan = Self.plan([
      Self.deposit(1, 5, key: "k"), Self.deposit(2, 5, key: "k"), Self.deposit(3, 5, key: "k", request: [2]),
      Self.deposit(4, 5, key: "l"),
    ])
    #expect(plan.outcomes.map(Self.word) == ["done 1 105", "replayed 1 105", "keyReused", "done 4 110"])
    #expect(plan.answers.new.map(\.request) == [Self.keyed("k"), Self.keyed("l")] && plan.ledger.entries.count == 2)
    #expect(try Deposit(decoding: plan.answers.new[0].response).id.low == 1)
  }

  @Test func `a key of before is replayed, refused for another request, and never trusted blindly`() {
    let first = Deposit(id: UUID(high: 9, low: 77), userId: Self.users[0], balance: 42)
    let keyed = [
      KeyedAnswer(to: Self.keyed("k"), response: first.encoded()),
      KeyedAnswer(to: Self.keyed("broken"), response: [1, 2, 3]),
    ]
    let plan = Self.plan(
      [Self.deposit(1, 5, key: "k"), Self.deposit(2, 5, key: "k", request: [2]), Self.deposit(3, 5, key: "broken")],
      keyed: keyed)
    #expect(plan.outcomes.map(Self.word) == ["replayed 77 42", "keyReused", "keyReused"])
    #expect(plan.ledger.entries.isEmpty && plan.answers.new.isEmpty)
  }

  @Test func `what was refused leaves its key free`() {
    let plan = Self.plan([
      Self.deposit(1, 5, user: Self.stranger, key: "k"),
      Self.deposit(2, AccountState.depositedMax, key: "k", request: [2]),
      Self.deposit(3, 5, key: "k", request: [3]),
    ])
    #expect(plan.outcomes.map(Self.word) == ["noAccount", "balanceTooLarge", "done 3 105"])
    #expect(plan.answers.new.map(\.request) == [Self.keyed("k", [3])])
  }
}
