import API
import Testing
import Wire

@testable import Payments

@Suite struct LedgerPlanTests {
  private static let user = UUID(high: 1, low: 1)

  private static func plan(balance: Int64) -> LedgerPlan {
    LedgerPlan(accounts: [user: AccountState(currency: "RUB", balance: balance, entries: 0)])
  }

  private static func post(_ plan: inout LedgerPlan, _ amount: Int64, to userID: UUID = user) -> Int64? {
    plan.post(.deposit, amount: amount, to: userID, cause: UUID(high: 2, low: 2), at: .zero)
  }

  @Test func `a transfer moves the balance and numbers its entry`() {
    var plan = Self.plan(balance: 5)
    #expect(Self.post(&plan, 10) == 15)
    #expect(Self.post(&plan, -15) == 0)
    #expect(plan.entries.map(\.number) == [1, 2] && plan.entries.map(\.balance) == [15, 0])
    #expect(plan.changed == [Self.user] && plan.accounts[Self.user]?.entries == 2)
  }

  @Test(
    arguments: [
      (5, -6), (0, -1), (0, .min), (AccountState.balanceMax, 1), (1, AccountState.balanceMax), (1, .max),
      (AccountState.balanceMax, .max),
    ] as [(Int64, Int64)])
  func `a transfer beyond the bounds changes nothing`(balance: Int64, amount: Int64) {
    var plan = Self.plan(balance: balance)
    #expect(Self.post(&plan, amount) == nil)
    #expect(plan.entries.isEmpty && plan.changed.isEmpty && plan.accounts == Self.plan(balance: balance).accounts)
  }

  @Test func `an account may be filled to the brim, and a stranger has none`() {
    var plan = Self.plan(balance: 0)
    #expect(Self.post(&plan, AccountState.balanceMax) == AccountState.balanceMax)
    #expect(Self.post(&plan, 1, to: UUID(high: 7, low: 7)) == nil)
    #expect(plan.entries.count == 1)
  }
}
