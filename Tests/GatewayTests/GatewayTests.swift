import EventLoop
@testable import Gateway
import HTTP
import RPC
import Service
import TestSupport
import Testing

@Suite struct GatewayTests {
  private static let id = ShelfSchema.id
  private static let json = [("Content-Type", "application/json")]
  private static let book = #"{"id":"\#(id)","title":"Dune","state":"HERE"}"#

  /// A response as tests look at it.
  struct Answer {
    let status: Int
    let fields: HTTPFields
    let body: String
  }

  // Confined to the loop of its test.
  final class World: @unchecked Sendable {
    let loop: EventLoop
    let fakes: [FakeBackend]
    let backends: Backends
    private let gateway: Gateway

    init(
      _ loop: EventLoop, _ fakes: [FakeBackend], gatekeeper: Gatekeeper = Gatekeeper(), swaggerUI: SwaggerUI? = nil
    ) {
      self.loop = loop
      self.fakes = fakes
      let log = Log(service: "test", level: .error, format: "json")
      for fake in fakes { fake.loop = loop }
      backends = Backends(loop: loop, connections: fakes, log: log)
      gateway = Gateway(
        loop: loop, backends: backends, log: log, gatekeeper: gatekeeper,
        documentation: Documentation(backends, swaggerUI: swaggerUI, asksForTokens: gatekeeper.asksForTokens))
    }

    func send(
      _ method: HTTPMethod, _ target: String, _ fields: [(String, String)] = [], _ body: String = ""
    ) async throws -> Answer {
      let response = await gateway.answer(try HTTPRequest(method, target, fields: fields, body: Array(body.utf8)))
      return Answer(
        status: response.status.code, fields: response.fields, body: String(decoding: response.body, as: UTF8.self))
    }
  }

  /// Runs `body` with a gateway before one backend that is ready and answers every call with a book.
  private func withGateway(
    _ fakes: @escaping @Sendable () -> [FakeBackend] = { [FakeBackend()] },
    _ body: @escaping @Sendable (World) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let world = World(loop, fakes())
      for fake in world.fakes {
        fake.answer = { method, _ in
          ["ListBooks", "FindBooks"].contains(method) ? #"{"books":[\#(Self.book)]}"# : Self.book
        }
        fake.isReady = true
      }
      try await body(world)
    }
  }

  @Test func `a POST becomes a call, and its response says where the result is`() async throws {
    try await withGateway { world in
      let answer = try await world.send(
        .post, "/v1/shelves/a%20b/books", Self.json + [("Idempotency-Key", "k1"), ("X-Request-Id", "r1")],
        #"{"title":"Dune","pages":412}"#)
      #expect(answer.status == 201 && answer.body == Self.book)
      #expect(answer.fields["location"] == "/v1/books/\(Self.id)")
      #expect(answer.fields["content-type"] == "application/json" && answer.fields["x-request-id"] == "r1")
      #expect(answer.fields["etag"] == nil && answer.fields["idempotent-replayed"] == nil)
      let call = world.fakes[0].calls[0]
      #expect(call.method == "AddBook" && call.request == #"{"shelf":"a b","title":"Dune","pages":412}"#)
      #expect(call.options.metadata["idempotency-key"] == "k1" && call.options.metadata["request-id"] == "r1")
      #expect(call.options.metadata.trace != nil)
      #expect(call.options.timeout == .seconds(10))
    }
  }

  @Test func `a replayed response says so`() async throws {
    try await withGateway { world in
      world.fakes[0].metadata = ["idempotency-replayed": "true"]
      let answer = try await world.send(.post, "/v1/shelves/a/books", Self.json, #"{"title":"Dune"}"#)
      #expect(answer.fields["idempotent-replayed"] == "true")
    }
  }

  @Test func `a GET binds the query, and an unknown parameter is named with the nearest one`() async throws {
    try await withGateway { world in
      let list = try await world.send(.get, "/v1/shelves/a/books?state=LENT&pageSize=5")
      #expect(list.status == 200 && list.body == #"{"books":[\#(Self.book)]}"#)
      #expect(world.fakes[0].calls[0].request == #"{"shelf":"a","state":"LENT","pageSize":5}"#)
      let wrong = try await world.send(.get, "/v1/shelves/a/books?pagesize=5&state=GONE&shelf=b")
      #expect(wrong.status == 400 && wrong.body.contains("/pagesize") && wrong.body.contains("'pageSize'"))
      #expect(wrong.body.contains(#""pointer":"/state""#) && wrong.body.contains(#""pointer":"/shelf""#))
      let twice = try await world.send(.get, "/v1/shelves/a/books?pageSize=5&pageSize=6")
      #expect(twice.status == 400 && twice.body.contains(#""pointer":"/pageSize""#))
      let range = try await world.send(.get, "/v1/shelves/a/books?pageSize=1000")
      #expect(range.status == 400 && range.body.contains(#""pointer":"/pageSize""#))
      #expect(world.fakes[0].calls.count == 1)
    }
  }

  @Test func `a query repeats what a list has, and may hold bytes`() async throws {
    try await withGateway { world in
      let found = try await world.send(
        .get, "/v1/search?tags=a%20b&states=HERE&tags=&pages=9223372036854775807&states=LENT&tags=%C3%A9&digest=_-8")
      #expect(found.status == 200, "\(found.body)")
      #expect(
        world.fakes[0].calls.first?.request
          == #"{"tags":["a b","","é"],"states":["HERE","LENT"],"pages":[9223372036854775807],"digest":"/+8="}"#)
      #expect(try await world.send(.get, "/v1/search").status == 200)
      #expect(world.fakes[0].calls.last?.request == #"{"tags":[],"states":[],"pages":[]}"#)
      let wrong = try await world.send(
        .get, "/v1/search?pages=1&pages=9223372036854775808&states=GONE&tags=1&tags=2&tags=3&tags=4")
      for pointer in ["/pages/1", "/states/0", "/tags"] {
        #expect(wrong.body.contains("\"pointer\":\"\(pointer)\""), "\(pointer) in \(wrong.body)")
      }
      #expect(wrong.status == 400 && world.fakes[0].calls.count == 2)
    }
  }

  @Test func `If-Match comes before If-None-Match`() async throws {
    try await withGateway { world in
      let tag = try #require(try await world.send(.get, "/v1/books/\(Self.id)").fields["etag"])
      let path = "/v1/books/\(Self.id)"
      for match in ["*", tag, "\"x\", \(tag)"] {
        #expect(try await world.send(.get, path, [("If-Match", match)]).status == 200)
      }
      for match in ["\"x\"", "W/\(tag)", ""] {
        let failed = try await world.send(.get, path, [("If-Match", match), ("If-None-Match", tag)])
        #expect(failed.status == 412 && failed.body.contains(#""code":"FAILED_PRECONDITION""#))
      }
      #expect(try await world.send(.get, path, [("If-Match", tag), ("If-None-Match", tag)]).status == 304)
    }
  }

  @Test func `a response with an ETag is not sent again`() async throws {
    try await withGateway { world in
      let first = try await world.send(.get, "/v1/books/\(Self.id)")
      let tag = try #require(first.fields["etag"])
      #expect(first.status == 200 && tag.hasPrefix("\"") && tag.hasSuffix("\""))
      let again = try await world.send(.get, "/v1/books/\(Self.id)", [("If-None-Match", "\"x\", \(tag)")])
      #expect(again.status == 304 && again.body.isEmpty && again.fields["etag"] == tag)
      let changed = try await world.send(.head, "/v1/books/\(Self.id)", [("If-None-Match", "\"x\"")])
      #expect(changed.status == 200)
    }
  }

  @Test func `what a client rests on is compared before anything is sent, or done`() async throws {
    try await withGateway { world in
      let path = "/v1/books/\(Self.id)"
      let tag = try #require(try await world.send(.get, path).fields["etag"])
      for method in [HTTPMethod.get, .head] {
        for (match, none, status) in [
          (tag, nil, 200), ("*", nil, 200), ("\"x\", \(tag)", nil, 200), ("\"x\"", nil, 412), ("W/\(tag)", nil, 412),
          (nil, tag, 304), (nil, "W/\(tag)", 304), (nil, "*", 304), (nil, "\"x\"", 200),
          (tag, tag, 304), ("\"x\"", tag, 412), ("\"x\"", "\"x\"", 412),
        ] as [(String?, String?, Int)] {
          let fields = [("If-Match", match), ("If-None-Match", none)].compactMap { name, value in
            value.map { (name, $0) }
          }
          let answer = try await world.send(method, path, fields)
          #expect(answer.status == status && answer.fields["etag"] == tag, "\(method) \(fields)")
          #expect((answer.status == 304) == answer.body.isEmpty)
          #expect((answer.status == 412) == answer.body.contains("FAILED_PRECONDITION"))
        }
      }
      // A route without tags: only * can be what the client means.
      for (name, value, status) in [
        ("If-Match", "*", 200), ("If-Match", tag, 412), ("If-None-Match", "*", 304), ("If-None-Match", tag, 200),
      ] {
        let list = try await world.send(.get, "/v1/shelves/a/books", [(name, value)])
        #expect(list.status == status, "\(name) \(value)")
      }
      let before = world.fakes[0].calls.count
      for value in [tag, "*"] {
        let changed = try await world.send(.post, path + "/lend", [("If-Match", value)])
        #expect(changed.status == 412)
      }
      #expect(world.fakes[0].calls.count == before)
      let onlyNew = try await world.send(.post, path + "/lend", [("If-None-Match", "*")])
      #expect(onlyNew.status == 200, "there is nothing at that path")
      let lent = try await world.send(.post, path + "/lend", [("If-None-Match", tag)])
      #expect(lent.status == 200)
    }
  }

  @Test func `conditions on what is not there do not hide that it is not there`() async throws {
    try await withGateway { world in
      world.fakes[0].answer = { _, _ in throw RPCError(.notFound, "no book has this id") }
      for name in ["If-Match", "If-None-Match"] {
        let answer = try await world.send(.get, "/v1/books/\(Self.id)", [(name, "\"x\"")])
        #expect(answer.status == 404)
      }
    }
  }

  @Test func `a path variable that does not fit its field is refused by name`() async throws {
    try await withGateway { world in
      let answer = try await world.send(.get, "/v1/books/7")
      #expect(answer.status == 400 && answer.body.contains(#""pointer":"/id""#))
      let text = try await world.send(.get, "/v1/shelves/%FF/books")
      #expect(text.status == 400 && text.body.contains(#""pointer":"/shelf""#))
      #expect(world.fakes[0].calls.isEmpty)
    }
  }

  @Test func `a body that breaks its schema is refused, everything at once`() async throws {
    try await withGateway { world in
      let answer = try await world.send(
        .post, "/v1/shelves/a/books", Self.json, #"{"title":"","pages":0,"pagse":1,"shelf":"b"}"#)
      #expect(answer.status == 400 && answer.fields["content-type"] == "application/problem+json")
      for pointer in ["/title", "/pages", "/pagse", "/shelf"] {
        #expect(answer.body.contains("\"pointer\":\"\(pointer)\""), "\(pointer) in \(answer.body)")
      }
      let missing = try await world.send(.post, "/v1/shelves/a/books")
      #expect(missing.status == 400 && missing.body.contains(#""pointer":"/title""#))
      let broken = try await world.send(.post, "/v1/shelves/a/books", Self.json, #"{"title":"#)
      #expect(broken.status == 400 && broken.body.contains(#""code":"INVALID_ARGUMENT""#))
      #expect(world.fakes[0].calls.isEmpty)
    }
  }

  @Test func `a POST whose path says all needs no body`() async throws {
    try await withGateway { world in
      let answer = try await world.send(.post, "/v1/books/\(Self.id)/lend")
      #expect(answer.status == 200 && world.fakes[0].calls[0].request == #"{"id":"\#(Self.id)"}"#)
      let empty = try await world.send(.post, "/v1/books/\(Self.id)/lend", Self.json, "{}")
      #expect(empty.status == 200)
    }
  }

  @Test func `media types other than JSON are refused with a hint`() async throws {
    try await withGateway { world in
      for fields in [[("Content-Type", "text/plain")], []] {
        let answer = try await world.send(.post, "/v1/shelves/a/books", fields, #"{"title":"a"}"#)
        #expect(answer.status == 415 && answer.fields["accept"] == "application/json")
      }
      let xml = try await world.send(.get, "/v1/books/\(Self.id)", [("Accept", "application/xml")])
      #expect(xml.status == 406)
      let body = try await world.send(.get, "/v1/books/\(Self.id)", Self.json, "{}")
      #expect(body.status == 400)
      let query = try await world.send(.post, "/v1/books/\(Self.id)/lend?a=b")
      #expect(query.status == 400 && query.body.contains(#""pointer":"/a""#))
      #expect(world.fakes[0].calls.isEmpty)
    }
  }

  @Test func `wrong methods and unknown routes are told apart`() async throws {
    try await withGateway { world in
      let put = try await world.send(.put, "/v1/books/\(Self.id)")
      #expect(put.status == 405 && put.fields["allow"] == "GET, HEAD, OPTIONS")
      let options = try await world.send(.options, "/v1/shelves/a/books")
      #expect(options.status == 204 && options.fields["allow"] == "GET, HEAD, OPTIONS, POST")
      #expect(try await world.send(.get, "/nothing").status == 404)
      #expect(try await world.send(.options, "*").status == 204)
      #expect(try await world.send(.post, "/").status == 405)
    }
  }

  @Test func `an error of the service becomes a problem`() async throws {
    try await withGateway { world in
      world.fakes[0].answer = { _, _ in throw RPCError(.notFound, "no book has this id") }
      let answer = try await world.send(.get, "/v1/books/\(Self.id)", [("X-Request-Id", "r2")])
      #expect(answer.status == 404)
      #expect(
        answer.body == #"{"type":"about:blank","title":"Not Found","status":404,"detail":"no book has this id","#
          + #""code":"NOT_FOUND","requestId":"r2"}"#)
    }
  }

  @Test func `without a backend every route is 503, and comes when the backend does`() async throws {
    try await onLoop { loop in
      let fake = FakeBackend()
      let world = World(loop, [fake])
      #expect(try await world.send(.get, "/v1/books/\(Self.id)").status == 503)
      #expect(try await world.send(.get, "/readyz").status == 503)
      #expect(try await world.send(.get, "/healthz").status == 200)
      fake.answer = { _, _ in Self.book }
      fake.isReady = true
      #expect(try await world.send(.get, "/v1/books/\(Self.id)").status == 200)
      #expect(try await world.send(.get, "/readyz").status == 200)
      fake.isReady = false
      let lost = try await world.send(.get, "/v1/books/\(Self.id)")
      #expect(lost.status == 503 && !lost.body.contains(fake.address))
      let ready = try await world.send(.get, "/readyz")
      #expect(ready.status == 503 && ready.body.contains("refused"))
    }
  }

  @Test func `calls go to connected replicas in turn, and again elsewhere when one is lost`() async throws {
    try await withGateway({ [FakeBackend(address: "a"), FakeBackend(address: "b")] }) { world in
      for _ in 0..<4 { #expect(try await world.send(.get, "/v1/books/\(Self.id)").status == 200) }
      #expect(world.fakes.map(\.calls.count) == [2, 2])
      world.fakes[0].answer = { _, _ in throw RPCError(.unavailable, "gone", reason: "CONNECTION_LOST") }
      for _ in 0..<4 { #expect(try await world.send(.get, "/v1/books/\(Self.id)").status == 200) }
      var posts: [Int] = []
      for _ in 0..<2 { posts.append(try await world.send(.post, "/v1/books/\(Self.id)/lend").status) }
      #expect(posts.sorted() == [200, 503])
      world.fakes[0].isReady = false
      for _ in 0..<4 { #expect(try await world.send(.post, "/v1/books/\(Self.id)/lend").status == 200) }
    }
  }

  @Test func `a backend whose schemas cannot be used is not ready`() async throws {
    try await onLoop { loop in
      let fake = FakeBackend(source: "nonsense")
      let world = World(loop, [fake])
      fake.isReady = true
      let ready = try await world.send(.get, "/readyz")
      #expect(ready.status == 503 && ready.body.contains("its schemas cannot be used"))
      fake.isReady = false
    }
  }

  @Test func `the page names the routes, escaped`() async throws {
    try await withGateway { world in
      let page = try await world.send(.get, "/docs")
      #expect(page.status == 200 && page.fields["content-type"] == "text/html; charset=utf-8")
      #expect(page.body.contains("<code>/v1/shelves/{shelf}/books</code>") && page.body.contains("A book &amp; where"))
      #expect(RoutesPage.escaped("<a b=\"c\">&'") == "&lt;a b=&quot;c&quot;&gt;&amp;&#39;")
    }
  }
}
