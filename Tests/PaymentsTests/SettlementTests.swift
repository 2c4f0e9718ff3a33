import API
import TestSupport
import Testing
import Wire

@testable import Payments

@Suite struct SettlementTests {
  private static let time = Timestamp(microseconds: 1_767_225_600_000_000)
  private static let user = UUID(high: 1, low: 1)

  private static func order(
    _ number: UInt64, _ amount: Int64, user: UUID = user, currency: String = "RUB"
  ) -> OrderCreated {
    OrderCreated(
      orderId: UUID(high: 9, low: number), userId: user, amount: amount, currency: currency, createdAt: time)
  }

  private static func settle(
    _ orders: [OrderCreated], balance: Int64, decided: [UUID: Charge] = [:]
  ) -> Settlement {
    Settlement(
      of: orders.map { .charge($0) }, decided: decided,
      accounts: [user: AccountState(currency: "RUB", balance: balance, deposited: 1_000, entries: 7)], at: time)
  }

  @Test func `orders are decided one after the other, each against what the ones before left`() {
    let settlement = Self.settle(
      [Self.order(1, 60), Self.order(2, 50), Self.order(3, 40), Self.order(4, 1)], balance: 100)
    #expect(settlement.results.map(\.outcome) == [.charged, .insufficientFunds, .charged, .insufficientFunds])
    #expect(
      settlement.ledger.accounts[Self.user] == AccountState(currency: "RUB", balance: 0, deposited: 1_000, entries: 9))
    #expect(settlement.ledger.entries.map(\.number) == [8, 9])
    #expect(settlement.ledger.entries.map(\.amount) == [-60, -40])
    #expect(settlement.ledger.entries.map(\.balance) == [40, 0])
    #expect(settlement.ledger.entries.allSatisfy { $0.kind == .charge && $0.createdAt == Self.time })
    #expect(settlement.charges.map(\.result.orderId.low) == [1, 2, 3, 4])
  }

  @Test func `a repeat in the batch is answered and charged once`() {
    let settlement = Self.settle([Self.order(1, 60), Self.order(1, 60), Self.order(1, 60)], balance: 100)
    #expect(settlement.results.map(\.outcome) == [.charged, .charged, .charged])
    #expect(settlement.charges.count == 1 && settlement.ledger.entries.count == 1)
    #expect(settlement.ledger.accounts[Self.user]?.balance == 40)
  }

  @Test func `what was decided before is answered as it was`() {
    let before = OrderSettled(
      orderId: Self.order(1, 60).orderId, userId: Self.user, outcome: .insufficientFunds, settledAt: .zero)
    let settlement = Self.settle(
      [Self.order(1, 60), Self.order(2, 60)], balance: 100,
      decided: [before.orderId: Charge(result: before, amount: 60, currency: "RUB")])
    #expect(settlement.results.first == before)
    #expect(settlement.charges.map(\.result.orderId.low) == [2])
    #expect(settlement.ledger.accounts[Self.user]?.balance == 40)
  }

  @Test func `an order that cannot be paid changes nothing but is decided for ever`() {
    let stranger = UUID(high: 2, low: 2)
    let settlement = Self.settle(
      [Self.order(1, 10, user: stranger), Self.order(2, 10, currency: "USD"), Self.order(3, .max)], balance: 100)
    #expect(settlement.results.map(\.outcome) == [.noAccount, .currencyMismatch, .insufficientFunds])
    #expect(settlement.charges.count == 3)
    #expect(settlement.ledger.entries.isEmpty && settlement.ledger.changed.isEmpty)
  }

  @Test(
    arguments: [
      (1, "RUB", true), (AccountState.depositedMax, "USD", true), (0, "RUB", false), (-1, "RUB", false),
      (.min, "RUB", false), (AccountState.depositedMax + 1, "RUB", false), (1, "rub", false), (1, "", false),
      (1, "RUBL", false), (1, "РУ", false),
    ] as [(Int64, String, Bool)])
  func `an event that no account could pay is refused at the door`(amount: Int64, currency: String, isFit: Bool) {
    #expect((Charge.refusal(amount: amount, currency: currency) == nil) == isFit)
  }

  /// Random batches against a book kept the simplest way.
  @Test func `no batch loses, makes or owes money`() {
    var random = SeededRandom()
    for _ in 0..<500 {
      let users = (0..<4 as Range<UInt64>).map { UUID(high: 3, low: $0) }
      var book: [UUID: Int64] = [:]
      for user in users.dropLast() { book[user] = Int64.random(in: 0...100, using: &random) }
      var decided: [UUID: OrderSettled] = [:]
      for _ in 0..<5 {
        let orders = (0..<Int.random(in: 0...12, using: &random)).map { _ in
          Self.order(
            UInt64.random(in: 0...20, using: &random), Int64.random(in: 1...60, using: &random),
            user: users.randomElement(using: &random)!,
            currency: Int.random(in: 0...5, using: &random) == 0 ? "USD" : "RUB")
        }
        let settlement = Settlement(
          of: orders.map { .charge($0) },
          decided:
            decided.filter { entry in orders.contains { $0.orderId == entry.key } }
            .mapValues { Charge(result: $0, amount: 1, currency: "RUB") },
          accounts: book.mapValues { AccountState(currency: "RUB", balance: $0, deposited: 1_000, entries: 0) },
          at: Self.time)
        for order in orders where decided[order.orderId] == nil {
          var outcome = ChargeOutcome.noAccount
          if let balance = book[order.userId] {
            outcome =
              order.currency != "RUB" ? .currencyMismatch : balance < order.amount ? .insufficientFunds : .charged
            if outcome == .charged { book[order.userId] = balance - order.amount }
          }
          decided[order.orderId] = OrderSettled(
            orderId: order.orderId, userId: order.userId, outcome: outcome, settledAt: Self.time)
        }
        #expect(settlement.results == orders.map { decided[$0.orderId]! }, "seed \(random.seed)")
        #expect(settlement.ledger.accounts.mapValues(\.balance) == book, "seed \(random.seed)")
      }
    }
  }
}
