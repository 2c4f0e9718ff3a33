import EventLoop
import Foundation
@testable import Gateway
import HTTP
import JSON
import Service
import TestSupport
import Testing

/// Routes of a file, called.
@Suite struct RouteFileCallTests {
  private static let id = ShelfSchema.id
  private static let json = [("Content-Type", "application/json")]
  private static let book = #"{"id":"\#(id)","title":"Dune","state":"HERE"}"#
  private static let routes = """
    POST /add -> Shelf.AddBook
      query on -> shelf
      body name -> title
      set pages = 7
      status 202
      location /book/{id}
    GET /book/{id} -> Shelf.GetBook
      etag
    GET /list -> Shelf.ListBooks
      query where -> shelf
      query limit -> pageSize
      set state = LENT
    """

  private func withRoutes(
    _ text: String = routes, _ body: @escaping @Sendable (GatewayTests.World, URL) async throws -> Void
  ) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "routes-\(Foundation.UUID())")
    try Data(text.utf8).write(to: path)
    defer { try? FileManager.default.removeItem(at: path) }
    try await onLoop { loop in
      let fake = FakeBackend()
      let world = GatewayTests.World(loop, [fake])
      fake.answer = { method, _ in method == "ListBooks" ? #"{"books":[\#(Self.book)]}"# : Self.book }
      let log = Log(service: "test", level: .error, format: "json")
      let watch = try RouteFileWatch(path.path, backends: world.backends, loop: loop, log: log)
      fake.isReady = true
      while !world.backends.isEveryOfferKnown { try await loop.sleep(for: .milliseconds(1)) }
      let run = loop.startTask { await watch.run() }
      try await body(world, path)
      watch.beginGracefulShutdown()
      await run.value
    }
  }

  @Test func `fields come from where the file says, under the names that it gives them`() async throws {
    try await withRoutes { world, _ in
      let added = try await world.send(.post, "/add?on=a%20b", Self.json, #"{"name":"Dune"}"#)
      #expect(added.status == 202 && added.fields["location"] == "/book/\(Self.id)" && added.body == Self.book)
      #expect(world.fakes[0].calls[0].request == #"{"shelf":"a b","title":"Dune","pages":7}"#)
      let list = try await world.send(.get, "/list?where=a&limit=5")
      #expect(list.status == 200 && world.fakes[0].calls[1].request == #"{"shelf":"a","state":"LENT","pageSize":5}"#)
      let got = try await world.send(.get, "/book/\(Self.id)")
      #expect(got.status == 200 && got.fields["etag"] != nil)
    }
  }

  @Test func `mistakes are told by the names of the file, and the schema's are not known`() async throws {
    try await withRoutes { world, _ in
      let wrong = try await world.send(
        .post, "/add?shelf=a&pages=3&om=b", Self.json, #"{"name":"","title":"x","pages":1,"shelf":"y","nam":1}"#)
      let problem = try JSONValue(parsing: Array(wrong.body.utf8).span)
      let pointers = problem["errors"]?.array?.compactMap { $0["pointer"]?.string } ?? []
      #expect(wrong.status == 400)
      #expect(pointers == ["/shelf", "/pages", "/om", "/name", "/title", "/pages", "/shelf", "/nam", "/on"])
      #expect(wrong.body.contains("did you mean 'on'?") && wrong.body.contains("did you mean 'name'?"))
      let list = try await world.send(.get, "/list?where=a&state=HERE&pageSize=1&limit=0")
      #expect(list.status == 400)
      for pointer in ["/state", "/pageSize", "/limit"] { #expect(list.body.contains("\"\(pointer)\"")) }
      #expect(world.fakes[0].calls.isEmpty)
    }
  }

  @Test func `the routes are described, and are on the page`() async throws {
    try await withRoutes { world, _ in
      let answer = try await world.send(.get, "/openapi.json")
      let document = try JSONValue(parsing: Array(answer.body.utf8).span)
      let add = document["paths"]?["/add"]?["post"]
      #expect(add?["operationId"]?.string == "Shelf.AddBook.2" && add?["responses"]?["202"] != nil)
      #expect(add?["parameters"]?.array?.first?["name"]?.string == "on")
      #expect(try await world.send(.get, "/docs").body.contains("<code>/book/{id}</code>"))
    }
  }

  @Test func `a changed file counts, a wrong one does not`() async throws {
    try await withRoutes { world, path in
      func eventually(_ isTrue: () async throws -> Bool) async throws {
        for _ in 0..<3_000 {
          if try await isTrue() { return }
          try await world.loop.sleep(for: .milliseconds(10))
        }
        Issue.record("nothing has changed")
      }
      let target = "/new/\(Self.id)"
      #expect(try await world.send(.get, target).status == 404)
      try Data("GET /new/{id} -> Shelf.GetBook".utf8).write(to: path)
      try await eventually { try await world.send(.get, target).status == 200 }
      #expect(try await world.send(.get, "/book/\(Self.id)").status == 404)

      try Data("GET /other/{id} -> Shelf.GetBook\nGET /wrong/{id} -> Shelf.NoBook".utf8).write(to: path)
      try await world.loop.sleep(for: .seconds(2))
      #expect(try await world.send(.get, target).status == 200)
      #expect(try await world.send(.get, "/other/\(Self.id)").status == 404)

      try Data("GET /other/{id} -> Shelf.GetBook".utf8).write(to: path)
      try await eventually { try await world.send(.get, "/other/\(Self.id)").status == 200 }
    }
  }

  @Test func `a file that was refused counts once its server has what it asks for`() async throws {
    try await withRoutes { world, path in
      let fake = world.fakes[0]
      try Data("GET /t/{id} -> Things.GetThing".utf8).write(to: path)
      try await world.loop.sleep(for: .seconds(2))
      #expect(try await world.send(.get, "/book/\(Self.id)").status == 200)
      fake.isReady = false
      fake.becomes(ShelfSchema.rival)
      fake.answer = { _, _ in #"{"id":"\#(Self.id)"}"# }
      fake.isReady = true
      for _ in 0..<1_000 where try await world.send(.get, "/t/\(Self.id)").status != 200 {
        try await world.loop.sleep(for: .milliseconds(10))
      }
      #expect(try await world.send(.get, "/t/\(Self.id)").status == 200)
    }
  }

  @Test func `a file that is wrong at the start stops it by the line; an unknown method waits for its server`()
    async throws
  {
    let error = await #expect(throws: (any Error).self) { try await withRoutes("\nGET /a") { _, _ in } }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.hasPrefix("--routes: "))
    #expect(text.hasSuffix("line 2: write a route as 'GET /orders/{id} -> Orders.GetOrder'"))
    try await withRoutes("GET /a/{id} -> Shelf.GetBook\nGET /b/{id} -> Nobody.GetBook") { world, _ in
      let found = try await world.send(.get, "/a/\(Self.id)")
      #expect(found.status == 200)
      #expect(world.backends.routes.fileErrors.map(\.line) == [2])
    }
  }
}
