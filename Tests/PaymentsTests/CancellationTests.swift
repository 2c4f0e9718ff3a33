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

  private static func cancel(_ orders: [OrderCancelled], _ decided: [Charge], balance: Int64 = 100) -> Settlement {
    Settlement(
      of: orders.map { .cancel($0) },
      decided: Dictionary(uniqueKeysWithValues: decided.map { ($0.result.orderId, $0) }),
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
      of: [.charge(created)], decided: [result.orderId: cancellation.charges[0]],
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

  @Test func `a batch that charges and cancels in one decides each in its turn`() {
    let created = (1...3 as ClosedRange<UInt64>).map { number in
      PaymentRequest.charge(
        OrderCreated(
          orderId: UUID(high: 9, low: number), userId: Self.user, amount: 60, currency: "RUB", createdAt: Self.time))
    }
    // Paid and refunded, which leaves enough for the second; the third is cancelled before it is charged.
    let requests = [created[0], .cancel(Self.order(1)), created[1], .cancel(Self.order(3)), created[2]]
    let settlement = Settlement(
      of: requests, decided: [:],
      accounts: [Self.user: AccountState(currency: "RUB", balance: 100, deposited: 100, entries: 0)], at: Self.time)
    #expect(settlement.results.map(\.outcome) == [.charged, .charged, .charged, .cancelled, .cancelled])
    #expect(settlement.results.map { $0.refundedAt != nil } == [false, true, false, false, false])
    #expect(settlement.charges.map(\.result.orderId.low) == [1, 2, 3])
    #expect(settlement.charges.allSatisfy { $0.result.refundedAt == nil }, "a refund is an entry and nothing else")
    #expect(settlement.ledger.entries.map(\.amount) == [-60, 60, -60])
    #expect(settlement.ledger.accounts[Self.user]?.balance == 40)
  }

  /// Random batches of both kinds, repeated and in any order, against a book kept the simplest way.
  @Test func `no order of charges and cancellations loses, makes or owes money`() {
    var random = SeededRandom()
    for _ in 0..<500 {
      var balance: Int64 = 200
      var decided: [UUID: Charge] = [:]
      var book: [UUID: (isPaid: Bool, amount: Int64)] = [:]
      for _ in 0..<6 {
        let requests = (0..<Int.random(in: 0...8, using: &random)).map { _ in
          let number = UInt64.random(in: 0...12, using: &random)
          let (id, amount) = (UUID(high: 9, low: number), Int64(number) * 7 + 1)
          return Bool.random(using: &random)
            ? PaymentRequest.charge(
              OrderCreated(orderId: id, userId: Self.user, amount: amount, currency: "RUB", createdAt: Self.time))
            : .cancel(Self.order(number, amount))
        }
        let settlement = Settlement(
          of: requests, decided: decided,
          accounts: [Self.user: AccountState(currency: "RUB", balance: balance, deposited: 1_000, entries: 0)],
          at: Self.time)
        for case (let request, let result) in zip(requests, settlement.results) {
          let amount = Int64(request.orderID.low) * 7 + 1
          switch request {
          case .charge where book[request.orderID] == nil:
            let isPaid = balance >= amount
            if isPaid { balance -= amount }
            book[request.orderID] = (isPaid, amount)
          case .charge: break
          case .cancel:
            if book[request.orderID]?.isPaid == true { balance += amount }
            book[request.orderID] = (false, amount)
            #expect((result.refundedAt != nil) == (result.outcome == .charged), "seed \(random.seed)")
          }
          if book[request.orderID]?.isPaid == true { #expect(result.outcome == .charged && result.refundedAt == nil) }
        }
        for charge in settlement.charges { decided[charge.result.orderId] = charge }
        for result in settlement.results { decided[result.orderId]!.result = result }
        #expect(settlement.ledger.accounts[Self.user]?.balance == balance, "seed \(random.seed)")
        let paid = book.values.filter(\.isPaid).reduce(0) { $0 + $1.amount }
        #expect(balance + paid == 200, "seed \(random.seed)")
      }
    }
  }
}
