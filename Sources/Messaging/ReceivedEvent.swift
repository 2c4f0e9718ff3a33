internal import JetStream
package import Wire

/// An event as it was received.
package struct ReceivedEvent<Event: Message>: Sendable {
  /// What it says.
  package let event: Event
  /// The trace that it belongs to.
  package let traceparent: String?
  /// The delivery, to be acknowledged.
  let message: IncomingMessage
}
