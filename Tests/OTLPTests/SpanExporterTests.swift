import EventLoop
import HTTP
import JSON
import Service
import TestSupport
import Testing
import Tracing

@testable import OTLP

@Suite struct SpanExporterTests {
  // Confined to the loop of its test.
  private final class Collector: @unchecked Sendable {
    private(set) var requests: [HTTPRequest] = []
    /// The statuses to answer with, the last one for ever.
    var statuses = [200]

    func answer(_ request: HTTPRequest) -> HTTPResponse {
      requests.append(request)
      return HTTPResponse(HTTPStatus(statuses.count > 1 ? statuses.removeFirst() : statuses[0]), body: Array("{}".utf8))
    }

    func names() throws -> [String] {
      try requests.map(\.body).flatMap { body in
        try JSONValue(parsing: body.span)["resourceSpans"]?.array?[0]["scopeSpans"]?.array?[0]["spans"]?.array?
          .compactMap { $0["name"]?.string } ?? []
      }
    }
  }

  /// Runs `body` with an exporter to a collector; both have ended when it returns.
  private static func with(
    port: Int? = nil, _ body: @escaping @Sendable (EventLoop, Tracer, SpanExporter, Collector) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let collector = Collector()
      let server = try HTTPServer(loop: loop, host: "127.0.0.1", port: 0) { collector.answer($0) }
      let tracer = Tracer(loop: loop, ratio: 1, batchSize: 4)
      let exporter = SpanExporter(
        loop: loop, log: Log(service: "test", level: .error), tracer: tracer,
        url: "http://127.0.0.1:\(port ?? server.port)/v1/traces", headers: ["Authorization: Bearer x"],
        resource: [("service.name", "test")])
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await server.run() }
        group.addTask { await exporter.run() }
        try await body(loop, tracer, exporter, collector)
        exporter.beginGracefulShutdown()
        try await group.next()
        server.beginGracefulShutdown()
        try await group.waitForAll()
      }
    }
  }

  private static func record(_ names: String..., by tracer: Tracer) throws {
    for name in names {
      let parent = TraceParent(traceHigh: 1, traceLow: 2, spanID: 3, isSampled: true)
      tracer.end(try #require(tracer.begin(under: parent)), name, .internal, [])
    }
  }

  private static func until(_ loop: EventLoop, _ condition: () -> Bool) async throws {
    for _ in 0..<5_000 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    #expect(condition())
  }

  @Test func `spans arrive in batches, with the fields that were set`() async throws {
    try await Self.with { loop, tracer, exporter, collector in
      try Self.record("a", "b", "c", "d", "e", by: tracer)
      try await Self.until(loop) { exporter.counts.exported == 5 }
      #expect(try collector.names() == ["a", "b", "c", "d", "e"] && collector.requests.count == 2)
      let request = collector.requests[0]
      #expect(request.method == .post && request.path.elementsEqual("/v1/traces".utf8))
      #expect(request.fields["content-type"] == "application/json" && request.fields["authorization"] == "Bearer x")
    }
  }

  @Test func `the end of the process waits for what is left`() async throws {
    let counts = Locked(SpanExporter.Counts())
    try await Self.with { loop, tracer, exporter, _ in
      try Self.record("a", "b", "c", "d", "e", "f", by: tracer)
      exporter.beginGracefulShutdown()
      for _ in 0..<5_000 where exporter.counts.exported < 6 { try await loop.sleep(for: .milliseconds(2)) }
      counts.withLock { $0 = exporter.counts }
    }
    #expect(counts.withLock { $0.exported } == 6)
  }

  @Test func `what the collector cannot take now it gets again`() async throws {
    try await Self.with { loop, tracer, exporter, collector in
      collector.statuses = [503, 200]
      try Self.record("a", by: tracer)
      try await Self.until(loop) { exporter.counts.exported == 1 }
      #expect(try collector.names() == ["a", "a"] && exporter.counts.undelivered == 0)
    }
  }

  @Test func `what the collector refuses is dropped and counted`() async throws {
    try await Self.with { loop, tracer, exporter, collector in
      collector.statuses = [400, 200]
      try Self.record("a", by: tracer)
      try await Self.until(loop) { exporter.counts.refused == 1 }
      try Self.record("b", by: tracer)
      try await Self.until(loop) { exporter.counts.exported == 1 }
      #expect(try collector.names() == ["a", "b"])
    }
  }

  @Test func `a collector that is away costs spans, and no end that lasts`() async throws {
    let counts = Locked(SpanExporter.Counts())
    try await Self.with(port: 1) { loop, tracer, exporter, _ in
      try Self.record("a", "b", "c", "d", "e", by: tracer)
      exporter.beginGracefulShutdown()
      for _ in 0..<5_000 where exporter.counts.undelivered < 5 { try await loop.sleep(for: .milliseconds(2)) }
      counts.withLock { $0 = exporter.counts }
    }
    #expect(counts.withLock { $0 } == SpanExporter.Counts(exported: 0, refused: 0, undelivered: 5))
  }
}
