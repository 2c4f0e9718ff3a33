package import API

/// What became of a ``CancelRequest``.
package enum CancelOutcome: Sendable, Equatable {
  /// The cancellation is on record, now or from before, or there is nothing to cancel: the order as it stands.
  case recorded(Order)
  /// The Idempotency-Key was used before with the same request: the order as it stood then, or as it stands if its result
  /// was not known.
  case replayed(Order)
  /// The Idempotency-Key was used before with another request.
  case keyReused
  /// There is no such order.
  case noOrder

  /// The order, if there is one.
  package var order: Order? {
    switch self {
    case .recorded(let order), .replayed(let order): order
    case .keyReused, .noOrder: nil
    }
  }
}
