/// The headers that every event has, so that the stock tools can show what it is about.
package enum EventHeader {
  /// The message's name in the schema, such as `gozon.events.OrderCreated`.
  package static let type = "Gozon-Type"
  /// The order that it is about.
  package static let order = "Gozon-Order"
  /// The user that it is about.
  package static let user = "Gozon-User"
}
