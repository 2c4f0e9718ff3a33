internal import API
internal import Messaging

extension NewOrder {
  /// The event that starts the order's payment; its id is the order's, from the outbox to the charge.
  var event: OutgoingEvent { created.event(traceparent: traceparent) }
}
