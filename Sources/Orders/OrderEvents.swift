package import API
package import Messaging
internal import Wire

extension OrderCreated {
  /// The request to charge the order, on its way to payments.
  package func event(traceparent: String?) -> OutgoingEvent {
    OutgoingEvent(
      id: EventID.of(Self.fullName, orderID: orderId),
      subject: EventSubject.subject(EventSubject.orderCreated, of: userId), type: Self.fullName, orderID: orderId,
      userID: userId, traceparent: traceparent, payload: encoded())
  }
}

extension OrderCancelled {
  /// The request to cancel the order, on its way to payments.
  package func event(traceparent: String?) -> OutgoingEvent {
    OutgoingEvent(
      id: EventID.of(Self.fullName, orderID: orderId),
      subject: EventSubject.subject(EventSubject.orderCancelled, of: userId), type: Self.fullName, orderID: orderId,
      userID: userId, traceparent: traceparent, payload: encoded())
  }
}
