import EventLoop
import TestSupport
import Testing
import Tracing

@Suite struct TracerTests {
  private static let parent = TraceParent(traceHigh: 1, traceLow: 2, spanID: 3, isSampled: true)

  @Test func `a span of a sampled trace is kept, with its parent`() async throws {
    try await onLoop { loop in
      let tracer = Tracer(loop: loop, ratio: 0)
      let open = try #require(tracer.begin(under: Self.parent))
      tracer.end(open, "work", .server, isError: true, [.init(.httpStatus, 503)])
      let span = try #require(tracer.take().first)
      #expect(span.parentID == 3 && span.context.traceID == Self.parent.traceID && span.context.spanID != 3)
      #expect(span.name == "work" && span.kind == .server && span.isError && span.start <= span.end)
      #expect(span.attributes.map(\.value) == [.integer(503)])
      #expect(tracer.take().isEmpty && tracer.counts.recorded == 1 && tracer.counts.overflowed == 0)
    }
  }

  @Test func `a trace that is not sampled makes none`() async throws {
    try await onLoop { loop in
      let tracer = Tracer(loop: loop, ratio: 1)
      let other = TraceParent(traceHigh: 1, traceLow: 2, spanID: 3, isSampled: false)
      #expect(tracer.begin(under: other) == nil && tracer.begin(under: nil) == nil && tracer.begin(trace: other) == nil)
    }
  }

  @Test(arguments: [(0.0, 0...0), (1.0, 2_000...2_000), (0.25, 350...650)])
  func `of new traces a share is sampled`(ratio: Double, expected: ClosedRange<Int>) async throws {
    try await onLoop { loop in
      let tracer = Tracer(loop: loop, ratio: ratio)
      let count = (0..<2_000).count { _ in tracer.newTrace().isSampled }
      #expect(expected.contains(count))
    }
  }

  @Test func `no more wait than there is room for, and the rest is counted`() async throws {
    try await onLoop { loop in
      let tracer = Tracer(loop: loop, ratio: 1)
      // Confined to the loop of its test.
      final class Calls: @unchecked Sendable { var count = 0 }
      let calls = Calls()
      tracer.onWaiting = { calls.count += 1 }
      for _ in 0..<(Tracer.waitingMax + 7) {
        tracer.end(try #require(tracer.begin(under: Self.parent)), "work", .internal, [])
      }
      #expect(calls.count == 2, "for the first, and for a batch")
      #expect(tracer.counts.overflowed == 7 && tracer.waitingCount == Tracer.waitingMax)
      #expect(tracer.take().count == tracer.batchSize)
    }
  }
}
