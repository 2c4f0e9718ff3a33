package import EventLoop

/// A span that has begun and will be recorded.
package struct OpenSpan: Sendable {
  /// The trace, and the span's own id: what goes on to whoever is asked for something.
  package let context: TraceParent
  /// The span that it is done for; 0 when it begins the trace.
  package let parentID: UInt64
  /// When it began.
  package let began: LoopInstant
}
