package import API
package import Wire

/// Decides a batch of cancellations, one after the other: what was charged goes back, and what was not charged yet never
/// will be. No I/O.
package struct Cancellation: Sendable {
  /// What the batch does to the ledger.
  package private(set) var ledger: LedgerPlan
  /// The orders that are decided now, before they could be charged; each once.
  package private(set) var charges: [Charge] = []
  /// What became of each order of the batch, in its order: now or before.
  package private(set) var results: [OrderSettled] = []

  /// Decides `orders`.
  ///
  /// - Parameters:
  ///   - decided: the charges that were decided before, refunded or not.
  ///   - accounts: the accounts of the users, locked.
  package init(
    of orders: [OrderCancelled], decided: [UUID: Charge], accounts: [UUID: AccountState], at time: Timestamp
  ) {
    ledger = LedgerPlan(accounts: accounts)
    var known = decided
    for order in orders {
      var charge = known[order.orderId] ?? preventCharge(of: order, at: time)
      refund(&charge, at: time)
      known[order.orderId] = charge
      results.append(charge.result)
    }
  }

  private mutating func preventCharge(of order: OrderCancelled, at time: Timestamp) -> Charge {
    let charge = Charge(
      result: OrderSettled(orderId: order.orderId, userId: order.userId, outcome: .cancelled, settledAt: time),
      amount: order.amount, currency: order.currency)
    charges.append(charge)
    return charge
  }

  /// Gives back what was charged, unless it was given back before.
  private mutating func refund(_ charge: inout Charge, at time: Timestamp) {
    guard charge.result.outcome == .charged, charge.result.refundedAt == nil else { return }
    // Not before the charge, whatever the clocks of two processes say.
    let time = max(time, charge.result.settledAt)
    let balance = ledger.post(
      .refund, amount: charge.amount, to: charge.result.userId, cause: charge.result.orderId, at: time)
    if balance != nil { charge.result.refundedAt = time }
  }
}
