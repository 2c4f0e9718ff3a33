package import Idempotency
package import Wire

/// A cancellation that somebody asks for.
package struct CancelRequest: Sendable, Equatable {
  /// The order.
  package var orderID: UUID
  /// The caller's Idempotency-Key, and the request that came with it.
  package var idempotency: IdempotentRequest?
  /// The trace that the request belongs to.
  package var traceparent: String?

  /// A request to cancel `orderID`.
  package init(orderID: UUID, idempotency: IdempotentRequest? = nil, traceparent: String? = nil) {
    self.orderID = orderID
    self.idempotency = idempotency
    self.traceparent = traceparent
  }
}
