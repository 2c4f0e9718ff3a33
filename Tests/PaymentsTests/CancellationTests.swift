import API
import TestSupport
import Testing
import Wire

@testable import Payments

@Suite struct CancellationTests {
  private static let time = Timestamp(microseconds: 1_767_225_600_000_000)
  private static let user = UUID(high: 1, low: 1)

  private static func order(_ number: UInt64, _ amount: Int64 = 10) -> OrderCancelled {
    OrderCancelled(
      orderId: UUID(high: 9, low: number), userId: user, amount: amount, currency: "RUB", requestedAt: time)
  }

  private static func charge(_ number: UInt64, _ outcome: ChargeOutcome, amount: Int64 = 10) -> Charge {
    let result = OrderSettled(
      orderId: UUID(high: 9, low: number), userId: user, outcome: outcome, settledAt: Timestamp(microseconds: 7))
    return Charge(result: result, amount: amount, currency: "RUB")
  }

  private static func cancel(_ orders: [OrderCancelled], _ decided: [Charge], balance: Int64 = 100) -> Cancellation {
    Cancellation(
      of: orders, decided: Dictionary(uniqueKeysWithValues: decided.map { ($0.result.orderId, $0) }),
      accounts: [user: AccountState(currency: "RUB", balance: balance, deposited: 1_000, entries: 3)], at: time)
  }

  @Test func `an order that was not decided yet is never charged`() {
    let cancellation = Self.cancel([Self.order(1), Self.order(1)], [])
    let result = OrderSettled(
      orderId: UUID(high: 9, low: 1), userId: Self.user, outcome: .cancelled, settledAt: Self.time)
    #expect(cancellation.results == [result, result])
    #expect(cancellation.charges == [Charge(result: result, amount: 10, currency: "RUB")])
    #expect(cancellation.ledger.entries.isEmpty)
    // The charge that comes late finds it.
    let created = OrderCreated(
      orderId: result.orderId, userId: Self.user, amount: 10, currency: "RUB", createdAt: Self.time)
    let late = Settlement(
      of: [created], decided: [result.orderId: cancellation.charges[0]],
      accounts: [Self.user: AccountState(currency: "RUB", balance: 100, deposited: 1_000, entries: 0)], at: Self.time)
    #expect(late.results == [result] && late.charges.isEmpty && late.ledger.entries.isEmpty)
  }

  @Test func `what was charged goes back once, as much as was taken`() {
    // The event may say what it likes: the charge counts.
    let cancellation = Self.cancel(
      [Self.order(1, 99), Self.order(1), Self.order(2)],
      [
        Self.charge(1, .charged, amount: 40), Self.charge(2, .charged, amount: 5),
      ])
    #expect(cancellation.results.map(\.refundedAt) == [Self.time, Self.time, Self.time])
    #expect(cancellation.results.allSatisfy { $0.outcome == .charged && $0.settledAt.microseconds == 7 })
    #expect(cancellation.charges.isEmpty)
    #expect(cancellation.ledger.entries.map(\.amount) == [40, 5])
    #expect(cancellation.ledger.entries.map(\.balance) == [140, 145])
    #expect(cancellation.ledger.entries.map(\.number) == [4, 5])
    #expect(cancellation.ledger.entries.allSatisfy { $0.kind == .refund && $0.createdAt == Self.time })
    #expect(cancellation.ledger.entries.map(\.cause.low) == [1, 2])
  }

  @Test func `what went back before does not go back again`() {
    var charge = Self.charge(1, .charged)
    charge.result.refundedAt = Timestamp(microseconds: 8)
    let cancellation = Self.cancel([Self.order(1)], [charge])
    #expect(cancellation.results == [charge.result])
    #expect(cancellation.ledger.entries.isEmpty && cancellation.charges.isEmpty)
  }

  @Test(arguments: [ChargeOutcome.insufficientFunds, .noAccount, .currencyMismatch, .cancelled])
  func `what was never taken does not go back`(outcome: ChargeOutcome) {
    let charge = Self.charge(1, outcome)
    let cancellation = Self.cancel([Self.order(1)], [charge])
    #expect(cancellation.results == [charge.result])
    #expect(cancellation.ledger.entries.isEmpty && cancellation.charges.isEmpty)
  }

  @Test func `a refund is not earlier than its charge, whatever the clocks say`() {
    var charge = Self.charge(1, .charged)
    charge.result.settledAt = Timestamp(microseconds: Self.time.microseconds + 5)
    let cancellation = Self.cancel([Self.order(1)], [charge])
    #expect(cancellation.results[0].refundedAt == charge.result.settledAt)
  }

  /// Random batches of both kinds, repeated and in any order, against a book kept the simplest way.
  @Test func `no order of charges and cancellations loses, makes or owes money`() {
    var random = SeededRandom()
    for _ in 0..<500 {
      var balance: Int64 = 200
      var decided: [UUID: Charge] = [:]
      var paid: [UUID: Int64] = [:]
      for _ in 0..<6 {
        let cancelled = (0..<Int.random(in: 0...8, using: &random)).map { _ in
          Self.order(UInt64.random(in: 0...12, using: &random), 0)
        }.map { Self.order($0.orderId.low, Int64($0.orderId.low) * 7 + 1) }
        let accounts = [Self.user: AccountState(currency: "RUB", balance: balance, deposited: 1_000, entries: 0)]
        if Bool.random(using: &random) {
          let orders = cancelled.map {
            OrderCreated(
              orderId: $0.orderId, userId: Self.user, amount: $0.amount, currency: "RUB", createdAt: Self.time)
          }
          let settlement = Settlement(of: orders, decided: decided, accounts: accounts, at: Self.time)
          for charge in settlement.charges {
            decided[charge.result.orderId] = charge
            if charge.result.outcome == .charged { paid[charge.result.orderId] = charge.amount }
          }
          balance = settlement.ledger.accounts[Self.user]!.balance
        } else {
          let cancellation = Cancellation(of: cancelled, decided: decided, accounts: accounts, at: Self.time)
          for charge in cancellation.charges { decided[charge.result.orderId] = charge }
          for result in cancellation.results {
            decided[result.orderId]!.result = result
            paid[result.orderId] = nil
            #expect((result.refundedAt != nil) == (result.outcome == .charged), "seed \(random.seed)")
          }
          balance = cancellation.ledger.accounts[Self.user]!.balance
        }
        #expect(balance + paid.values.reduce(0, +) == 200, "seed \(random.seed)")
      }
    }
  }
}
