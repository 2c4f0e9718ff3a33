internal import JetStream
internal import Tracing

/// An event as it was received.
package struct ReceivedEvent<Event: Sendable>: Sendable {
  /// What it says.
  package let event: Event
  /// Where its trace goes on from: from what is done with it when the trace is sampled; nil when it belongs to none.
  package let traceparent: String?
  /// What is done with it, as a part of its trace; nil when the trace is not sampled.
  let span: OpenSpan?
  /// The lane that it came on.
  let lane: Int16
  /// The message it came as.
  let message: IncomingMessage

  init(_ event: Event, lane: Int16, message: IncomingMessage, tracer: Tracer? = nil) {
    self.event = event
    self.lane = lane
    self.message = message
    let trace = message.header("traceparent").flatMap(TraceParent.init)
    span = tracer?.begin(under: trace)
    traceparent = (span?.context ?? trace)?.text
  }

  /// The message's place in its stream.
  var sequence: Int64 { Int64(clamping: message.sequence) }
}
