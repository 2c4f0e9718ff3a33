internal import API
internal import Messaging
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

  /// The event that has `order`, whose cancellation is under way, cancelled.
  func event(of order: Order) -> OutgoingEvent {
    let type = OrderCancelled.fullName
    return OutgoingEvent(
      id: EventID.of(type, orderID: order.id), subject: EventSubject.orderCancelled(of: order.userId), type: type,
      orderID: order.id, userID: order.userId, traceparent: traceparent, payload: order.cancelled.encoded())
  }
}
