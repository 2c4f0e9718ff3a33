internal import JetStream
internal import RPC
package import Wire

/// An event as it was received.
package struct ReceivedEvent<Event: Message>: Sendable {
  /// What it says.
  package let event: Event
  /// The trace that it belongs to; nil when there is none, or it is malformed.
  package let traceparent: String?
  /// The delivery, to be acknowledged.
  let message: IncomingMessage

  init(event: Event, message: IncomingMessage) {
    self.event = event
    self.message = message
    traceparent = message.header("traceparent").flatMap { TraceContext.isTraceparent($0) ? $0 : nil }
  }
}
