package import EventLoop
internal import Wire

/// Records the spans of sampled traces for whoever exports them. What is not sampled costs nothing.
///
/// A trace that comes from outside is sampled as it says; one that begins here, by chance.
// Confined to its event loop; every entry checks it.
package final class Tracer: @unchecked Sendable {
  /// What became of spans so far.
  package struct Counts: Sendable, Equatable {
    /// Spans that ended.
    package var recorded = 0
    /// Of these, the ones that found ``Tracer/waitingMax`` others waiting.
    package var overflowed = 0
  }

  /// The most spans that wait to be exported; more are dropped and counted.
  package static let waitingMax = 8_192

  private let loop: EventLoop
  /// A new trace is sampled when the second half of its id is below this.
  private let threshold: UInt64
  private var waiting: [TraceSpan] = []
  /// What became of spans so far.
  package private(set) var counts = Counts()
  /// Called when spans wait that did not before, and when ``batchSize`` of them do.
  package var onWaiting: () -> Void = {}
  /// How many spans make it worth to export them at once.
  package let batchSize: Int

  /// A tracer that samples `ratio` (0 to 1) of the traces that begin here.
  package init(loop: EventLoop, ratio: Double, batchSize: Int = 512) {
    self.loop = loop
    self.batchSize = batchSize
    threshold = ratio >= 1 ? .max : UInt64(max(0, ratio) * 0x1p64)
  }

  /// A trace that begins here.
  package func newTrace() -> TraceParent {
    loop.preconditionCurrent()
    let trace = TraceParent.root(isSampled: true, using: &loop.random)
    if threshold == .max || trace.traceLow < threshold { return trace }
    return TraceParent(
      traceHigh: trace.traceHigh, traceLow: trace.traceLow, spanID: trace.spanID, isSampled: false)
  }

  /// A span of a trace, begun now or at `began`; nil when the trace is not sampled.
  ///
  /// - Parameter parent: what it is done for.
  package func begin(under parent: TraceParent?, began: LoopInstant? = nil) -> OpenSpan? {
    guard let parent, parent.isSampled else { return nil }
    loop.preconditionCurrent()
    return OpenSpan(
      context: parent.child(using: &loop.random), parentID: parent.spanID, began: began ?? LoopInstant.current)
  }

  /// The first span of a trace that begins here; nil when it is not sampled.
  package func begin(trace: TraceParent) -> OpenSpan? {
    trace.isSampled ? OpenSpan(context: trace, parentID: 0, began: LoopInstant.current) : nil
  }

  /// A span has ended.
  package func end(
    _ span: OpenSpan, _ name: String, _ kind: TraceSpan.Kind, isError: Bool = false, _ attributes: [TraceSpan.Attribute]
  ) {
    loop.preconditionCurrent()
    counts.recorded += 1
    guard waiting.count < Self.waitingMax else {
      counts.overflowed += 1
      return
    }
    let (now, end) = (LoopInstant.current, Timestamp.now)
    let microseconds = max(0, (now - span.began).nanoseconds / 1_000)
    waiting.append(
      TraceSpan(
        name: name, kind: kind, context: span.context, parentID: span.parentID,
        start: Timestamp(microseconds: end.microseconds - microseconds), end: end, isError: isError,
        attributes: attributes))
    if waiting.count == 1 || waiting.count == batchSize { onWaiting() }
  }

  /// Spans that wait to be exported.
  package var waitingCount: Int { waiting.count }

  /// Takes the spans that have waited longest, ``batchSize`` at most.
  package func take() -> [TraceSpan] {
    loop.preconditionCurrent()
    let batch = Array(waiting.prefix(batchSize))
    waiting.removeFirst(batch.count)
    return batch
  }
}
