internal import JetStream
internal import Tracing

/// Events on their way to the broker, each a part of its trace when that is sampled.
// Confined to the event loop of its tracer.
struct EventPublication: @unchecked Sendable {
  /// The events as the broker gets them; those of sampled traces say that the trace goes on from their publication.
  let messages: [OutgoingMessage]
  private let tracer: Tracer?
  private var spans: [(span: OpenSpan, event: OutgoingEvent)] = []

  /// The publication of `events` begins.
  init(_ events: [OutgoingEvent], tracer: Tracer?) {
    self.tracer = tracer
    guard let tracer else {
      messages = events.map(\.message)
      return
    }
    var messages: [OutgoingMessage] = []
    messages.reserveCapacity(events.count)
    for var event in events {
      if let span = tracer.begin(under: event.traceparent.flatMap(TraceParent.init)) {
        spans.append((span, event))
        event.traceparent = span.context.text
      }
      messages.append(event.message)
    }
    self.messages = messages
  }

  /// The broker has taken them, or not.
  func ended(isError: Bool = false) {
    for (span, event) in spans {
      tracer?.end(
        span, "publish \(EventSubject.name(of: event.subject))", .producer, isError: isError,
        TraceSpan.Attribute.ofMessage("send", event.subject, id: event.id) + [.init(.orderID, "\(event.orderID)")])
    }
  }
}

extension TraceSpan.Attribute {
  /// What is said of a message (OpenTelemetry, "Semantic conventions for messaging spans").
  static func ofMessage(_ operation: String, _ subject: String, id: String?) -> [TraceSpan.Attribute] {
    [
      .init(.messagingSystem, "nats"), .init(.messagingOperation, operation), .init(.messagingDestination, subject),
      .init(.messagingMessageID, id ?? ""),
    ]
  }
}
