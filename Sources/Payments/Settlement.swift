package import API
package import Wire

/// Decides a batch of requests, one after the other, against the accounts as the ones before left them. No I/O.
///
/// The first request about an order decides its charge, for ever. A charge is paid from the account or refused; a cancellation
/// that comes first sees to it that nothing is ever charged, and one that comes later gives back what was.
package struct Settlement: Sendable {
  /// What the batch does to the ledger.
  package private(set) var ledger: LedgerPlan
  /// The charges that are decided now; each order's once.
  package private(set) var charges: [Charge] = []
  /// What is known of each request's order, in the order of the requests: decided now or before.
  package private(set) var results: [OrderSettled] = []

  /// Decides `requests`.
  ///
  /// - Parameters:
  ///   - decided: the charges that were decided before, refunded or not.
  ///   - accounts: the accounts of the users, locked.
  package init(
    of requests: [PaymentRequest], decided: [UUID: Charge], accounts: [UUID: AccountState], at time: Timestamp
  ) {
    ledger = LedgerPlan(accounts: accounts)
    results.reserveCapacity(requests.count)
    var known = decided
    for request in requests {
      var charge = known[request.orderID] ?? decide(request, at: time)
      if case .cancel = request { refund(&charge, at: time) }
      known[request.orderID] = charge
      results.append(charge.result)
    }
  }

  private mutating func decide(_ request: PaymentRequest, at time: Timestamp) -> Charge {
    let decided =
      switch request {
      case .charge(let order):
        Charge(
          result: OrderSettled(
            orderId: order.orderId, userId: order.userId, outcome: charge(order, at: time), settledAt: time),
          amount: order.amount, currency: order.currency)
      case .cancel(let order):
        Charge(
          result: OrderSettled(orderId: order.orderId, userId: order.userId, outcome: .cancelled, settledAt: time),
          amount: order.amount, currency: order.currency)
      }
    charges.append(decided)
    return decided
  }

  private mutating func charge(_ order: OrderCreated, at time: Timestamp) -> ChargeOutcome {
    guard let account = ledger.accounts[order.userId] else { return .noAccount }
    guard account.currency == order.currency else { return .currencyMismatch }
    let balance = ledger.post(.charge, amount: -order.amount, to: order.userId, cause: order.orderId, at: time)
    return balance == nil ? .insufficientFunds : .charged
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
