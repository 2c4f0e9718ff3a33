internal import API
internal import Messaging
internal import Wire

extension NewOrder {
  /// The event that starts the order's payment; its id is the order's, from the outbox to the charge.
  var event: OutgoingEvent {
    OutgoingEvent(
      id: EventID.of(OrderCreated.fullName, orderID: id), subject: EventSubject.orderCreated(of: userID),
      type: OrderCreated.fullName, orderID: id, userID: userID,
      traceparent: traceparent, payload: created.encoded())
  }
}
