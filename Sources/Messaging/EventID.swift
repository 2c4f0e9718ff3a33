internal import API
package import Wire

/// The ids of events, which the broker knows a repeat by (header `Nats-Msg-Id`).
package enum EventID {
  /// The id of an order's event of this type (such as `gozon.events.OrderCreated`), and of the answer to it: the order's
  /// id, and for what comes after the first event something behind it, which no other order's id can be.
  package static func of(_ type: String, orderID: UUID) -> String {
    type == OrderCancelled.fullName ? "\(orderID).cancelled" : "\(orderID)"
  }
}
