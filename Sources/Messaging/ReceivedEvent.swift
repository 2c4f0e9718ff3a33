internal import JetStream
internal import RPC

/// An event as it was received.
package struct ReceivedEvent<Event: Sendable>: Sendable {
  /// What it says.
  package let event: Event
  /// The trace that it belongs to; nil when there is none, or it is malformed.
  package let traceparent: String?
  /// The lane that it came on.
  let lane: Int16
  /// The message it came as.
  let message: IncomingMessage

  init(_ event: Event, lane: Int16, message: IncomingMessage) {
    self.event = event
    self.lane = lane
    self.message = message
    traceparent = message.header("traceparent").flatMap { TraceContext.isTraceparent($0) ? $0 : nil }
  }

  /// The message's place in its stream.
  var sequence: Int64 { Int64(clamping: message.sequence) }
}
