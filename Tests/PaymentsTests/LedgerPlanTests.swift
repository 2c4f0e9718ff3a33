import API
import Testing
import Wire

@testable import Payments

@Suite struct LedgerPlanTests {
  private static let user = UUID(high: 1, low: 1)
  private static let most = AccountState.depositedMax

  private static func plan(balance: Int64, deposited: Int64? = nil) -> LedgerPlan {
    LedgerPlan(accounts: [
      user: AccountState(currency: "RUB", balance: balance, deposited: deposited ?? balance, entries: 0)
    ])
  }

  private static func post(
    _ plan: inout LedgerPlan, _ kind: EntryKind, _ amount: Int64, to userID: UUID = user
  ) -> Int64? {
    plan.post(kind, amount: amount, to: userID, cause: UUID(high: 2, low: 2), at: .zero)
  }

  @Test func `a transfer moves the balance and numbers its entry`() {
    var plan = Self.plan(balance: 5)
    #expect(Self.post(&plan, .deposit, 10) == 15)
    #expect(Self.post(&plan, .charge, -15) == 0)
    #expect(Self.post(&plan, .refund, 15) == 15)
    #expect(plan.entries.map(\.number) == [1, 2, 3] && plan.entries.map(\.balance) == [15, 0, 15])
    #expect(plan.changed == [Self.user] && plan.accounts[Self.user]?.entries == 3)
    #expect(plan.accounts[Self.user]?.deposited == 15, "what comes back was put there before")
  }

  @Test(
    arguments: [
      (.charge, 5, 9, -6), (.charge, 0, 9, -1), (.charge, 0, 9, .min), (.deposit, most, most, 1),
      (.deposit, 1, 1, most), (.deposit, 1, 1, .max), (.deposit, 0, most, 1), (.deposit, 5, most, .max),
      (.refund, 9, 9, 1), (.refund, 5, 9, 5), (.refund, 5, 9, .max), (.refund, most, most, .max),
    ] as [(EntryKind, Int64, Int64, Int64)])
  func `a transfer beyond the bounds changes nothing`(
    kind: EntryKind, balance: Int64, deposited: Int64, amount: Int64
  ) {
    var plan = Self.plan(balance: balance, deposited: deposited)
    #expect(Self.post(&plan, kind, amount) == nil)
    #expect(plan.entries.isEmpty && plan.changed.isEmpty)
    #expect(plan.accounts == Self.plan(balance: balance, deposited: deposited).accounts)
  }

  @Test func `an account may be filled to the brim, and what it pays can come back`() {
    var plan = Self.plan(balance: 0)
    #expect(Self.post(&plan, .deposit, Self.most) == Self.most)
    #expect(Self.post(&plan, .charge, -Self.most) == 0)
    #expect(Self.post(&plan, .deposit, 1) == nil, "or there would be no room for the refund")
    #expect(Self.post(&plan, .refund, Self.most) == Self.most)
    #expect(Self.post(&plan, .deposit, 1, to: UUID(high: 7, low: 7)) == nil, "a stranger has no account")
    #expect(plan.entries.count == 3)
  }
}
