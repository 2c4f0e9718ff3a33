package import API
package import Wire

/// Decides a batch of orders, one after the other, against the accounts as the ones before left them. No I/O.
package struct Settlement: Sendable {
  /// What the batch does to the ledger.
  package private(set) var ledger: LedgerPlan
  /// The orders that are decided now; each once.
  package private(set) var charges: [Charge] = []
  /// The result of each order of the batch, in its order: decided now or before.
  package private(set) var results: [OrderSettled] = []

  /// Decides `orders`.
  ///
  /// - Parameters:
  ///   - decided: those that were decided before: they are answered again, and not charged again.
  ///   - accounts: the accounts of the users, locked.
  package init(
    of orders: [OrderCreated], decided: [UUID: Charge], accounts: [UUID: AccountState], at time: Timestamp
  ) {
    ledger = LedgerPlan(accounts: accounts)
    var known = decided.mapValues(\.result)
    for order in orders {
      if let result = known[order.orderId] {
        results.append(result)
        continue
      }
      let result = OrderSettled(
        orderId: order.orderId, userId: order.userId, outcome: charge(order, at: time), settledAt: time)
      known[order.orderId] = result
      charges.append(Charge(result: result, amount: order.amount, currency: order.currency))
      results.append(result)
    }
  }

  private mutating func charge(_ order: OrderCreated, at time: Timestamp) -> ChargeOutcome {
    guard let account = ledger.accounts[order.userId] else { return .noAccount }
    guard account.currency == order.currency else { return .currencyMismatch }
    let balance = ledger.post(.charge, amount: -order.amount, to: order.userId, cause: order.orderId, at: time)
    return balance == nil ? .insufficientFunds : .charged
  }
}
