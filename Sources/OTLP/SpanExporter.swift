package import EventLoop
package import Service
package import Tracing

/// Sends the spans of a tracer to a collector by OTLP over HTTP, in batches, from a thread that serves no requests.
///
/// A collector that is slow or away costs spans, which are counted, and nothing else.
// Confined to its event loop; every entry checks it.
package final class SpanExporter: @unchecked Sendable {
  /// What became of the spans that were taken from the tracer.
  package struct Counts: Sendable, Equatable {
    /// The collector has them.
    package var exported = 0
    /// The collector refused them.
    package var refused = 0
    /// The collector could not be reached in time.
    package var undelivered = 0
  }

  /// How long spans are gathered unless a batch is full before.
  private static let interval: Duration = .seconds(1)
  /// How long a post may take.
  private static let postTimeout: Duration = .seconds(3)
  /// How often a batch is tried.
  private static let triesMax = 4
  /// The wait after a failure; doubles.
  private static let backoffMin: Duration = .milliseconds(500)
  /// How long the end of the process waits for what is left.
  private static let flushTimeout: Duration = .seconds(3)

  /// What became of the spans that were taken from the tracer.
  package private(set) var counts = Counts()
  private let loop: EventLoop
  private let log: Log
  private let tracer: Tracer
  private let collector: CollectorConnection
  private let resource: [(name: String, value: String)]
  private let wakeUp: LoopSignal
  private let stopping: LoopSignal
  private var flushDeadline: LoopInstant?
  private var isFailing = false

  /// An exporter of what `tracer` records.
  ///
  /// - Parameters:
  ///   - url: where to post, such as `http://127.0.0.1:4318/v1/traces`.
  ///   - headers: fields for each request, such as `Authorization: Bearer x`.
  ///   - resource: what the spans are of, such as `service.name`.
  package init(
    loop: EventLoop, log: Log, tracer: Tracer, url: String, headers: [String] = [],
    resource: [(name: String, value: String)]
  ) {
    self.loop = loop
    self.log = log
    self.tracer = tracer
    self.resource = resource
    collector = CollectorConnection(url: url, headers: headers)
    let wakeUp = LoopSignal(loop: loop)
    self.wakeUp = wakeUp
    stopping = LoopSignal(loop: loop)
    tracer.onWaiting = { wakeUp.signal() }
  }

  /// The exporter as a part of the process, which ends when what was recorded is sent, or after ``flushTimeout``.
  package var part: Part {
    Part("traces", run: { await self.run() }, beginGracefulShutdown: { self.beginGracefulShutdown() })
  }

  /// What became of spans.
  package var metrics: [Metric] {
    [
      Metric("trace_spans_recorded_total", .counter, "Spans that ended.", Double(tracer.counts.recorded)),
      Metric("trace_spans_exported_total", .counter, "Spans that the collector has taken.", Double(counts.exported)),
      Metric(
        "trace_spans_dropped_total", .counter, "Spans that the collector will never have.",
        values: [
          (["reason": "queue_full"], Double(tracer.counts.overflowed)), (["reason": "refused"], Double(counts.refused)),
          (["reason": "undelivered"], Double(counts.undelivered)),
        ]),
      Metric("trace_spans_waiting", .gauge, "Spans that wait to be exported.", Double(tracer.waitingCount)),
    ]
  }

  /// Ends the exporting when what was recorded is sent.
  package func beginGracefulShutdown() {
    flushDeadline = loop.now + Self.flushTimeout
    wakeUp.signal()
    stopping.signal()
  }

  /// Exports until ``beginGracefulShutdown()``, or until the task is cancelled.
  package func run() async {
    while !Task.isCancelled {
      if tracer.waitingCount == 0 {
        if flushDeadline != nil { return }
        await wakeUp.wait()
      } else {
        if flushDeadline == nil, tracer.waitingCount < tracer.batchSize { await wakeUp.wait(atMost: Self.interval) }
        await export(tracer.take())
      }
    }
  }

  private func export(_ spans: [TraceSpan]) async {
    var backoff = Self.backoffMin
    for attempt in 1...Self.triesMax {
      let timeout = min(Self.postTimeout, flushDeadline.map { $0 - loop.now } ?? Self.postTimeout)
      if timeout <= .zero || Task.isCancelled { break }
      switch await post(spans, timeout) {
      case .taken:
        counts.exported += spans.count
        if isFailing { log.info("the collector takes traces again") }
        isFailing = false
        return
      case .refused(let reason):
        counts.refused += spans.count
        return complain(reason)
      case .notNow(let reason):
        complain(reason)
        if attempt < Self.triesMax { await stopping.wait(atMost: backoff * Double.random(in: 0.8...1.2)) }
        backoff *= 2
      }
    }
    counts.undelivered += spans.count
  }

  private func post(_ spans: [TraceSpan], _ timeout: Duration) async -> CollectorConnection.Outcome {
    let milliseconds = Int(timeout.millisecondsRoundedUp)
    return await loop.offload { [collector, resource] in
      collector.post(SpanEncoding.body(spans, resource: resource), milliseconds: milliseconds)
    }
  }

  /// Once, and not for every batch while a collector is away.
  private func complain(_ reason: String) {
    if !isFailing { log.warning("the collector does not take traces; they are dropped", [.reason: reason]) }
    isFailing = true
  }
}
