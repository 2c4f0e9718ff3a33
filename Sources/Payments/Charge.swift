package import API

/// What was decided about an order's payment, once and for ever: a row of the table `charges`.
package struct Charge: Equatable, Sendable {
  /// The order, its user, and what became of it.
  package var result: OrderSettled
  /// What the order costs, in minor units of `currency`.
  package var amount: Int64
  /// ISO 4217.
  package var currency: String

  /// A charge as it was decided.
  package init(result: OrderSettled, amount: Int64, currency: String) {
    self.result = result
    self.amount = amount
    self.currency = currency
  }

  /// Why an order of these values can never be decided, whatever the accounts; nil when it can.
  package static func refusal(amount: Int64, currency: String) -> String? {
    guard (1...AccountState.depositedMax).contains(amount) else { return "the amount is \(amount)" }
    guard currency.utf8.count == 3, currency.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
      return "the currency is not one of ISO 4217"
    }
    return nil
  }
}
