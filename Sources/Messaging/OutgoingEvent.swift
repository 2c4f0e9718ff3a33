package import Wire

/// An event on its way to the broker.
package struct OutgoingEvent: Sendable, Equatable {
  /// The event's id, which the broker knows a repeat by; see ``EventID``.
  package var id: String
  /// Where it goes.
  package var subject: String
  /// The message's name in the schema, such as `gozon.events.OrderCreated`.
  package var type: String
  /// The order that it is about.
  package var orderID: UUID
  /// The user that it is about.
  package var userID: UUID
  /// The trace that it belongs to (W3C Trace Context).
  package var traceparent: String?
  /// The encoded message.
  package var payload: [UInt8]

  /// An event of these parts.
  package init(
    id: String, subject: String, type: String, orderID: UUID, userID: UUID, traceparent: String?, payload: [UInt8]
  ) {
    self.id = id
    self.subject = subject
    self.type = type
    self.orderID = orderID
    self.userID = userID
    self.traceparent = traceparent
    self.payload = payload
  }
}
