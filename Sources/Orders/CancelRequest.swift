package import Wire

/// A cancellation that somebody asks for.
package struct CancelRequest: Sendable, Equatable {
  /// The order.
  package var orderID: UUID
  /// The trace that the request belongs to.
  package var traceparent: String?

  /// A request to cancel `orderID`.
  package init(orderID: UUID, traceparent: String? = nil) {
    self.orderID = orderID
    self.traceparent = traceparent
  }
}
