internal import EventLoop
internal import HTTP
internal import Tracing

/// The trace that a request belongs to.
struct RequestTrace {
  /// Where it goes on from: the request's own span when it is traced, else the caller's, or that of a new trace.
  let context: TraceParent
  /// The request as a part of it; nil when it is not traced.
  let span: OpenSpan?

  /// The trace that the fields name, or a new one.
  init(_ fields: HTTPFields, loop: EventLoop, tracer: Tracer?) {
    if let parent = fields["traceparent"].flatMap(TraceParent.init) {
      span = tracer?.begin(under: parent)
      context = span?.context ?? parent
    } else {
      // Where nobody records, the trace is an id for logs.
      context = tracer?.newTrace() ?? TraceParent.root(isSampled: false, using: &loop.random)
      span = tracer?.begin(trace: context)
    }
  }
}
