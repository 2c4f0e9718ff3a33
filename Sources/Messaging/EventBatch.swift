/// Events that are processed in one transaction, in the order of their stream.
package struct EventBatch<Event: Sendable>: Sendable {
  /// The events; none when only the places move on.
  package var events: [ReceivedEvent<Event>]
  /// How far their lanes are processed with them: to be written in the same transaction (``LaneTable/advance(_:)``).
  package var places: [LanePlace]

  /// A batch of these parts.
  package init(_ events: [ReceivedEvent<Event>], places: [LanePlace]) {
    self.events = events
    self.places = places
  }
}
