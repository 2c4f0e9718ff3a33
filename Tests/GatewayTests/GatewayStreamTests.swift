import EventLoop
@testable import Gateway
import HTTP
@testable import RPC
import Service
import TestSupport
import Testing

/// Streams over HTTP, whatever they are streams of.
@Suite struct GatewayStreamTests {
  private static let watch = "/v1/books/\(ShelfSchema.id)/watch"
  private static let pages = "/v1/books/\(ShelfSchema.id)/pages"

  // Confined to the loop of its test.
  final class World: @unchecked Sendable {
    let loop: EventLoop
    let fake: FakeBackend
    let gateway: Gateway
    let server: HTTPServer

    init(_ loop: EventLoop, _ fake: FakeBackend, origins: [String]? = nil) throws {
      self.loop = loop
      self.fake = fake
      fake.loop = loop
      let log = Log(service: "test", level: .error, format: "json")
      let backends = Backends(loop: loop, connections: [fake], log: log)
      var timing = StreamTiming()
      timing.headPatience = .milliseconds(20)
      timing.heartbeat = .milliseconds(50)
      timing.pauses = .milliseconds(1) ... .milliseconds(10)
      timing.patience = .milliseconds(200)
      let gatekeeper = Gatekeeper(policy: nil, crossOrigin: origins.map { CrossOriginPolicy(origins: $0) })
      let gateway = Gateway(loop: loop, backends: backends, log: log, gatekeeper: gatekeeper, streamTiming: timing)
      self.gateway = gateway
      server = try HTTPServer(
        loop: loop, host: "127.0.0.1", port: 0, refuse: Gateway.refuse, handler: { await gateway.answer($0) })
    }

    func get(_ path: String, _ fields: String...) async throws -> StreamClient {
      let fields = (["GET \(path) HTTP/1.1", "Host: x"] + fields).joined(separator: "\r\n")
      return try await StreamClient(loop, port: server.port, fields + "\r\n\r\n")
    }

    /// Lets a stream last until its client is gone.
    static func stay(_ loop: EventLoop) async throws { try await loop.sleep(for: .seconds(600)) }
  }

  private func withGateway(
    origins: [String]? = nil, _ body: @escaping @Sendable (World) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let world = try World(loop, FakeBackend(), origins: origins)
      world.fake.isReady = true
      try await body(world)
      world.server.beginGracefulShutdown()
      await world.server.run()
      for _ in 0..<1_000 where world.gateway.streams.count > 0 { try await loop.sleep(for: .milliseconds(5)) }
      #expect(world.gateway.streams.count == 0)
    }
  }

  /// News of a book: `HERE` or `LENT` at a place.
  private static func news(_ state: String, _ place: String) -> String { #"{"state":"\#(state)","place":"\#(place)"}"# }

  @Test func `a stream comes as events with ids, and lives`() async throws {
    try await withGateway { world in
      world.fake.stream = { _, _, send in
        try send(Self.news("HERE", "p1"))
        try await world.loop.sleep(for: .milliseconds(5))
        try send(Self.news("LENT", "p2"))
        try await World.stay(world.loop)
      }
      let client = try await world.get(Self.watch, "Accept: text/event-stream")
      try await client.wait { client.body.contains("\n:\n\n") }
      #expect(client.text.contains("Content-Type: text/event-stream\r\n") && client.text.contains("no-store"))
      // On a busy machine a sign of life may come in between.
      try await client.wait(for: "id: p2")
      #expect(
        client.body.replacing("\n\n:\n\n", with: "\n\n").hasPrefix(
          "retry: 1000\n\nid: p1\ndata: \(Self.news("HERE", "p1"))\n\nid: p2\ndata: \(Self.news("LENT", "p2"))\n\n"))
      #expect(world.fake.calls[0].request == #"{"id":"\#(ShelfSchema.id)"}"#)
      #expect(world.fake.calls[0].options.timeout == CallOptions.timeoutMax)
    }
  }

  @Test func `the same comes as lines, and ends with the stream`() async throws {
    try await withGateway { world in
      world.fake.stream = { method, _, send in
        for page in 1...3 { try send(#"{"text":"\#(method) \#(page)"}"#) }
      }
      let lines = try await world.get(Self.pages, "Accept: application/x-ndjson")
      try await lines.wait(for: "\r\n0\r\n\r\n")
      #expect(lines.body == "{\"text\":\"ReadBook 1\"}\n{\"text\":\"ReadBook 2\"}\n{\"text\":\"ReadBook 3\"}\n")
      let events = try await world.get(Self.pages)
      try await events.wait(for: "\r\n0\r\n\r\n")
      #expect(events.body.hasSuffix("data: {\"text\":\"ReadBook 3\"}\n\nevent: end\ndata: {}\n\n"))
    }
  }

  @Test func `a client goes on behind the last event that it had, whatever its query says`() async throws {
    try await withGateway { world in
      world.fake.stream = { _, _, _ in try await World.stay(world.loop) }
      let header = try await world.get(Self.watch + "?from=p1", "Last-Event-ID: p7")
      let query = try await world.get(Self.watch + "?from=p1")
      for client in [header, query] { try await client.wait(for: "retry: 1000") }
      #expect(world.fake.calls[0].request == #"{"id":"\#(ShelfSchema.id)","from":"p7"}"#)
      #expect(world.fake.calls[1].request == #"{"id":"\#(ShelfSchema.id)","from":"p1"}"#)
      let wrong = try await world.get(Self.watch, "Last-Event-ID: 123456789012345678901")
      try await wrong.wait(for: #""pointer":"/from""#)
      #expect(wrong.text.hasPrefix("HTTP/1.1 400 "))
    }
  }

  @Test func `a cursor goes by the name that a route file gives it`() async throws {
    try await withGateway { world in
      let routes = "GET /news/{id} -> Shelf.WatchBook\n  query since -> from"
      world.gateway.backends.use(try RouteFile(parsing: Array(routes.utf8)))
      world.fake.stream = { _, _, _ in try await World.stay(world.loop) }
      for (number, field) in ["Accept: text/event-stream", "Last-Event-ID: p7"].enumerated() {
        let client = try await world.get("/news/\(ShelfSchema.id)?since=p1", field)
        try await client.wait(for: "retry: 1000")
        #expect(
          world.fake.calls[number].request == #"{"id":"\#(ShelfSchema.id)","from":"\#(number == 0 ? "p1" : "p7")"}"#)
      }
    }
  }

  @Test func `what fails at once has a status, and what fails later ends the stream with a problem`() async throws {
    try await withGateway { world in
      let error = RPCError(.notFound, "no such book", reason: "NO_BOOK")
      world.fake.stream = { _, _, _ in throw error }
      let early = try await world.get(Self.watch)
      try await early.wait(for: "no such book")
      #expect(early.text.hasPrefix("HTTP/1.1 404 ") && early.text.contains("application/problem+json"))
      world.fake.stream = { _, _, send in
        try send(Self.news("HERE", "p1"))
        try await world.loop.sleep(for: .milliseconds(5))
        throw error
      }
      let events = try await world.get(Self.watch)
      try await events.wait(for: "\r\n0\r\n\r\n")
      #expect(events.body.contains("\n\nevent: error\ndata: {\"type\":\"urn:gozon:problem:NO_BOOK\""))
      let lines = try await world.get(Self.watch, "Accept: application/x-ndjson")
      try await lines.wait(for: "\r\n0\r\n\r\n")
      #expect(lines.body.contains("\n{\"error\":{\"type\":\"urn:gozon:problem:NO_BOOK\""))
      let refused = try await world.get(Self.watch, "Accept: text/html")
      try await refused.wait(for: "HTTP/1.1 406 ")
    }
  }

  @Test func `a stream with a cursor is taken up behind the last message, and its client does not notice`() async throws
  {
    try await withGateway { world in
      world.fake.stream = { _, request, send in
        if !request.contains("from") {
          try send(Self.news("HERE", "p1"))
          try await world.loop.sleep(for: .milliseconds(5))
          throw RPCError(.unavailable, "gone", reason: "CONNECTION_LOST")
        }
        if world.fake.calls.count < 4 { throw RPCError(.unavailable, "still gone") }
        try send(Self.news("LENT", "p2"))
        try await World.stay(world.loop)
      }
      let client = try await world.get(Self.watch)
      try await client.wait(for: "id: p2")
      #expect(!client.body.contains("error"))
      #expect(world.fake.calls.dropFirst().allSatisfy { $0.request.contains(#""from":"p1""#) })
    }
  }

  @Test func `a stream that cannot be taken up says so in the end`() async throws {
    try await withGateway { world in
      world.fake.stream = { method, request, send in
        if !request.contains("from") { try send(method == "ReadBook" ? #"{"text":""}"# : Self.news("HERE", "p1")) }
        try await world.loop.sleep(for: .milliseconds(5))
        throw RPCError(.unavailable, "10.0.0.1 is gone", reason: "CONNECTION_LOST")
      }
      for path in [Self.watch, Self.pages] {
        let client = try await world.get(path)
        try await client.wait(for: "\r\n0\r\n\r\n")
        #expect(client.body.contains("event: error\ndata: {") && client.body.contains("\"status\":503"))
        #expect(!client.body.contains("10.0.0.1"))
      }
    }
  }

  @Test func `a time that is asked for ends the stream`() async throws {
    try await withGateway { world in
      world.fake.stream = { _, _, _ in
        try await world.loop.sleep(for: .milliseconds(60))
        throw RPCError(.deadlineExceeded, "over")
      }
      let client = try await world.get(Self.watch, "Request-Timeout: 0.05")
      try await client.wait(for: "\r\n0\r\n\r\n")
      #expect(client.body.contains("\"status\":504"))
      #expect(world.fake.calls.count == 1 && world.fake.calls[0].options.timeout <= .milliseconds(50))
    }
  }

  @Test func `a client that leaves ends the call`() async throws {
    try await withGateway { world in
      world.fake.stream = { _, _, send in
        try send(Self.news("HERE", "p1"))
        for place in 2... {
          try await world.loop.sleep(for: .milliseconds(1))
          do { try send(Self.news("HERE", "p\(place)")) } catch { break }
        }
      }
      let client = try await world.get(Self.watch)
      try await client.wait(for: "id: p9\n")
      client.connection.abort()
      for _ in 0..<2_000 where world.gateway.streams.count > 0 { try await world.loop.sleep(for: .milliseconds(5)) }
      #expect(world.gateway.streams.count == 0)
    }
  }

  @Test func `a shutdown ends a stream whole, so that its client comes back`() async throws {
    try await withGateway { world in
      world.fake.stream = { _, _, send in
        try send(Self.news("HERE", "p1"))
        try await World.stay(world.loop)
      }
      let client = try await world.get(Self.watch)
      try await client.wait(for: "id: p1")
      world.server.beginGracefulShutdown()
      try await client.wait { client.isClosed }
      #expect(client.text.hasSuffix("\r\n0\r\n\r\n") && !client.body.contains("error"))
    }
  }

  @Test func `lines that a shutdown ends are cut, so that nobody takes them for all`() async throws {
    try await withGateway { world in
      world.fake.stream = { _, _, send in
        try send(#"{"text":"1"}"#)
        try await World.stay(world.loop)
      }
      let client = try await world.get(Self.pages, "Accept: application/x-ndjson")
      try await client.wait(for: #"{"text":"1"}"#)
      world.server.beginGracefulShutdown()
      try await client.wait { client.isClosed }
      #expect(!client.text.contains("\r\n0\r\n\r\n"))
    }
  }

  @Test func `HEAD tells the head and calls nobody for long`() async throws {
    try await withGateway { world in
      world.fake.stream = { _, _, _ in try await World.stay(world.loop) }
      let client = try await StreamClient(
        world.loop, port: world.server.port, "HEAD \(Self.watch) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      try await client.wait { client.isClosed }
      #expect(client.text.contains("text/event-stream") && client.body.isEmpty)
    }
  }

  private static let upgrade = [
    "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ].joined(separator: "\r\n")

  @Test(arguments: [
    (nil, 101), ("http://x", 101), ("https://X", 101), ("https://shop.example", 101), ("https://evil.example", 403),
    ("null", 403), ("", 403), ("https://x.evil.example", 403),
  ])
  func `a page of another origin opens no WebSocket unless it may call`(origin: String?, status: Int) async throws {
    try await withGateway(origins: ["https://shop.example"]) { world in
      world.fake.stream = { _, _, send in try send(Self.news("HERE", "p1")) }
      let client = try await world.get(Self.watch, Self.upgrade + (origin.map { "\r\nOrigin: \($0)" } ?? ""))
      try await client.wait(for: "\r\n\r\n")
      #expect(client.text.hasPrefix("HTTP/1.1 \(status) "))
      #expect((status == 403) == client.text.contains("ORIGIN_REFUSED") && (status == 403) == world.fake.calls.isEmpty)
    }
  }

  @Test func `by WebSocket each message is a text, and the end has a code`() async throws {
    try await withGateway { world in
      world.fake.stream = { _, _, send in
        try send(Self.news("HERE", "p1"))
        try await world.loop.sleep(for: .milliseconds(5))
        throw RPCError(.notFound, "no such book", reason: "NO_BOOK")
      }
      let client = try await world.get(Self.watch, Self.upgrade)
      // 4404 as it lies in the close frame.
      try await client.wait(for: "NOT_FOUND: no such book")
      #expect(client.text.hasPrefix("HTTP/1.1 101 "))
      #expect(client.text.contains(Self.news("HERE", "p1")))
      world.fake.stream = { _, _, _ in throw RPCError(.notFound, "no such book") }
      let early = try await world.get(Self.watch, Self.upgrade)
      try await early.wait(for: "HTTP/1.1 404 ")
      let wrong = try await world.get(Self.watch, "Upgrade: websocket", "Connection: Upgrade")
      try await wrong.wait(for: "HTTP/1.1 426 ")
    }
  }
}
