package import API
package import Idempotency
package import Wire

/// Decides a batch of cancellations, one after the other. No I/O.
package struct CancelPlan: Sendable {
  /// The orders whose cancellation is asked for now, as they are to be.
  package private(set) var changed: [Order] = []
  /// What was answered under keys, and is now.
  package private(set) var answers: KeyedAnswers
  /// What became of each request of the batch, in its order.
  package private(set) var outcomes: [CancelOutcome] = []
  private var orders: [UUID: Order]

  /// Decides `requests`.
  ///
  /// - Parameters:
  ///   - orders: the orders that exist, locked.
  ///   - answers: what was answered under the requests' keys before.
  package init(of requests: [CancelRequest], orders: [Order], answers: KeyedAnswers, at time: Timestamp) {
    self.answers = answers
    self.orders = Dictionary(orders.map { ($0.id, $0) }) { first, _ in first }
    outcomes.reserveCapacity(requests.count)
    for request in requests { outcomes.append(decide(request, at: time)) }
  }

  private mutating func decide(_ request: CancelRequest, at time: Timestamp) -> CancelOutcome {
    switch answers.verdict(on: request.idempotency) {
    case .isAnother: return .keyReused
    case .isRepeat(let response):
      // Bytes that cannot be read are as good as another request's.
      guard let first = try? Order(decoding: response) else { return .keyReused }
      return .replayed(OrderRules.isBeingCancelled(first) ? orders[first.id] ?? first : first)
    case .isNew: break
    }
    guard var order = orders[request.orderID] else { return .noOrder }
    if let requesting = OrderRules.requestingCancel(of: order, at: time) {
      order = requesting
      orders[order.id] = order
      changed.append(order)
    }
    answers.keep(order.encoded(), to: request.idempotency)
    return .recorded(order)
  }
}
