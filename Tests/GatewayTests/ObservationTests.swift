import EventLoop
@testable import Gateway
import HTTP
@testable import RPC
import Service
import TestSupport
import Testing
import Tracing

/// What the gateway tells of requests: figures, spans, and how its servers are.
@Suite struct ObservationTests {
  private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
  private static let book = #"{"id":"\#(ShelfSchema.id)","title":"Dune","state":"HERE"}"#

  // Confined to the loop of its test.
  private struct World: @unchecked Sendable {
    let fakes: [FakeBackend]
    let backends: Backends
    let tracer: Tracer
    let gateway: Gateway

    func status(_ method: HTTPMethod, _ target: String, _ fields: [(String, String)] = []) async throws -> Int {
      await gateway.answer(try HTTPRequest(method, target, fields: fields)).status.code
    }

    /// Of a route, how many responses had each status.
    func responses(_ method: String, _ route: String) -> [Int: UInt64] {
      let statuses = backends.statistics.of(method, route).statuses.enumerated().filter { $0.element > 0 }
      return Dictionary(uniqueKeysWithValues: statuses.map { ($0.offset + 100, $0.element) })
    }
  }

  private static func with(
    _ fakes: @escaping @Sendable () -> [FakeBackend] = { [FakeBackend()] },
    _ body: @escaping @Sendable (World) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let (fakes, log) = (fakes(), Log(service: "test", level: .error, format: "json"))
      for fake in fakes { fake.loop = loop }
      let backends = Backends(loop: loop, connections: fakes, log: log)
      let tracer = Tracer(loop: loop, ratio: 1)
      for fake in fakes {
        fake.answer = { _, _ in Self.book }
        fake.isReady = true
      }
      for _ in 0..<1_000 where !backends.isEveryOfferKnown { try await loop.sleep(for: .milliseconds(1)) }
      try await body(
        World(
          fakes: fakes, backends: backends, tracer: tracer,
          gateway: Gateway(loop: loop, backends: backends, log: log, tracer: tracer)))
    }
  }

  @Test func `requests are counted by the template of their route and by status`() async throws {
    try await Self.with { world async throws in
      for _ in 0..<3 { #expect(try await world.status(.get, "/v1/books/\(ShelfSchema.id)") == 200) }
      #expect(try await world.status(.get, "/v1/books/no-uuid") == 400)
      #expect(world.responses("GET", "/v1/books/{id}") == [200: 3, 400: 1])
      #expect(world.backends.statistics.of("GET", "/v1/books/{id}").durations.count == 4)
      #expect(try await world.status(.head, "/healthz") == 200)
      #expect(world.responses("HEAD", "/healthz") == [200: 1])
      for path in ["/v1/x", "/v1/y/z", "/etc/passwd"] { #expect(try await world.status(.get, path) == 404) }
      #expect(try await world.status(.delete, "/v1/books/\(ShelfSchema.id)") == 405)
      #expect(world.responses("GET", "unmatched") == [404: 3] && world.responses("DELETE", "unmatched") == [405: 1])
      #expect(world.backends.statistics.of("GET", "/v1/books/{id}").running == 0)
    }
  }

  @Test func `figures outlive a new table of routes`() async throws {
    try await Self.with { world async throws in
      _ = try await world.status(.get, "/v1/books/\(ShelfSchema.id)")
      let table = RouteTable([], statistics: world.backends.statistics)
      #expect(table.routes.isEmpty && world.responses("GET", "/v1/books/{id}") == [200: 1])
    }
  }

  @Test func `a traced request is a span, and its call another below it`() async throws {
    try await Self.with { world async throws in
      _ = try await world.status(
        .get, "/v1/books/\(ShelfSchema.id)", [("traceparent", Self.parent), ("X-Request-Id", "r")])
      let spans = world.tracer.take()
      let http = try #require(spans.first { $0.kind == .server })
      let call = try #require(spans.first { $0.kind == .client })
      #expect(http.name == "GET /v1/books/{id}" && http.parentID == 0x00f0_67aa_0ba9_02b7)
      #expect(call.parentID == http.context.spanID && !http.isError && !call.isError && spans.count == 2)
      #expect(world.fakes[0].calls.last?.options.metadata["traceparent"] == call.context.text)
      #expect(http.attributes.contains { $0.key == .httpStatus && $0.value == .integer(200) })
      #expect(http.attributes.contains { $0.key == .requestID && $0.value == .text("r") })
    }
  }

  @Test func `a server's failure is an error of both spans`() async throws {
    try await Self.with { world async throws in
      world.fakes[0].answer = { _, _ in throw RPCError(.internal, "broken") }
      #expect(try await world.status(.get, "/v1/books/\(ShelfSchema.id)", [("traceparent", Self.parent)]) == 500)
      #expect(world.tracer.take().map(\.isError) == [true, true])
    }
  }

  @Test func `a trace that is not sampled is passed on as it came`() async throws {
    try await Self.with { world async throws in
      let trace = Self.parent.dropLast() + "0"
      _ = try await world.status(.get, "/v1/books/\(ShelfSchema.id)", [("traceparent", String(trace))])
      #expect(world.fakes[0].calls.last?.options.metadata["traceparent"] == String(trace))
      #expect(world.tracer.waitingCount == 0)
    }
  }

  @Test func `a replica can be missed, the last of its kind cannot`() async throws {
    try await Self.with({ [FakeBackend(address: "a:1"), FakeBackend(address: "b:1")] }) { world async throws in
      world.fakes[0].isReady = false
      #expect(world.backends.readiness.isReady && world.backends.readiness.isDegraded)
      let missing = try #require(world.backends.readiness.first { $0.name == "a:1" })
      #expect(missing.problem != nil && !missing.isRequired)
      world.fakes[1].isReady = false
      #expect(!world.backends.readiness.isReady)
    }
  }
}
