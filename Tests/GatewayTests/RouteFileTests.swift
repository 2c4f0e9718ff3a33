import EventLoop
@testable import Gateway
import HTTP
import RPC
import Schema
import Testing

@Suite struct RouteFileTests {
  // It never runs: nothing of these servers happens.
  private static let loop = try! EventLoop()
  private static let offers: RouteFile.Offers = [ShelfSchema.source, ShelfSchema.rival].map { source in
    let member = PoolMember(loop: loop, connection: FakeBackend(source: source))
    return (BackendServer(member: member), FakeBackend.translator(source)!)
  }

  private func file(_ text: String) throws -> RouteFile { try RouteFile(parsing: Array(text.utf8)) }

  private func errors(_ text: String) -> [String] {
    do {
      return RouteTable(Self.offers, try file(text)).fileErrors.map(\.description)
    } catch {
      return (error as? RouteFileErrors)?.errors.map(\.description) ?? ["\(error)"]
    }
  }

  @Test func `a file is read line by line`() throws {
    let file = try file(
      """
      # A comment.
      POST /books/add -> Shelf.AddBook\r
        status 201
        body name -> title
      \tquery on -> shelf
        set pages = 7
        location /books/{id}

      GET  /books/{id}  ->  test.shelf.Shelf/GetBook
          etag
      """)
    #expect(
      file.entries.map(\.line) == [2, 9] && file.entries.map(\.target) == ["Shelf.AddBook", "test.shelf.Shelf/GetBook"])
    let add = file.entries[0].binding
    #expect(add.method == .post && add.path.description == "/books/add" && add.status == 201 && !add.hasETag)
    #expect(add.location?.description == "/books/{id}" && add.takesQuery)
    #expect(
      add.sources == [
        FieldSource(field: "title", place: .body("name")), FieldSource(field: "shelf", place: .query("on")),
        FieldSource(field: "pages", place: .constant("7")),
      ])
    #expect(file.entries[1].binding.hasETag)
  }

  @Test(arguments: [
    ("POST /a Shelf.AddBook", "line 1: write a route as 'GET /orders/{id} -> Orders.GetOrder'"),
    ("  etag", "line 1: a line that begins with a blank belongs to a route"),
    ("FETCH /a -> B.C", "line 1: the method of HTTP is one of GET, POST, PUT, PATCH, DELETE, not 'FETCH'"),
    (
      "Get /a -> B.C",
      "line 1: the method of HTTP is one of GET, POST, PUT, PATCH, DELETE, not 'Get'; did you mean 'GET'?"
    ),
    (
      "GET a -> B.C",
      "line 1: a path is letters, digits and -._~ between slashes, or one {field}, such as /orders/{id}"
    ),
    ("# x\nGET /a -> B.C\n status 404", "line 3: the status of a success with a body is 200 to 299 but not 204 or 205"),
    ("GET /a -> B.C\n status 2e2", "line 2: a status is a number such as 201"),
    ("GET /a -> B.C\n body a -> b", "line 2: a GET has no body; use query"),
    (
      "GET /a -> B.C\n tag",
      "line 2: behind a route only 'status 201', 'query NAME -> FIELD', 'body NAME -> FIELD', 'set FIELD = TEXT', 'location /PATH' and 'etag' may stand"
    ),
    ("GET /a -> Shelf.GetBok\n", "line 1: there is no method 'Shelf.GetBok'; did you mean 'Shelf.GetBook'?"),
    ("\n\nGET /a/{idd} -> Shelf.GetBook", "line 3: GetBookRequest has no field 'idd'; did you mean 'id'?"),
    ("GET /a/{id}/{id} -> Shelf.GetBook", "line 1: the path has {id} twice"),
    ("GET /a/{tags} -> Shelf.FindBooks", "line 1: 'tags' cannot stand in a path: it is no single value"),
    ("GET /a -> Shelf.GetBook\n query x -> number", "line 2: GetBookRequest has no field 'number'"),
    ("GET /a/{id} -> Shelf.GetBook\n query x -> id", "line 2: 'id' has a value already"),
    ("GET /a -> Shelf.ListBooks\n query shelf -> state", "line 2: 'shelf' comes by that name already"),
    (
      "GET /a/{id} -> Shelf.WatchBook\n set from = p1",
      "line 2: 'from' says where a stream goes on; take it from the query"
    ),
    ("GET /a -> Shelf.ListBooks\n set pageSize = 1000", "line 2: 'pageSize' must be 1 to 100, not 1000"),
    (
      "GET /a -> Shelf.ListBooks\n set state = HERR",
      "line 2: 'state' expected one of HERE, LENT, found 'HERR'; did you mean 'HERE'?"
    ),
    ("POST /a -> Shelf.AddBook\n location /b/{pages}", "line 1: a field in the location must never be absent"),
    (
      "GET /a/{id} -> Shelf.LendBook",
      "line 1: browsers and proxies repeat a GET at will, and LendBook bears no repeat; use POST"
    ),
    ("GET /v1/books/{number} -> Shelf.GetBook", "line 1: GetBookRequest has no field 'number'"),
    (
      "GET /v1/books/{id} -> Things.GetThing",
      "line 1: GET /v1/books/{id} is a route to test.shelf.Shelf/GetBook already"
    ),
    (
      "PUT /a/{id} -> Shelf.GetBook\nPUT /a/{id} -> Things.GetThing",
      "line 2: PUT /a/{id} is a route to test.shelf.Shelf/GetBook already"
    ),
  ])
  func `a mistake is told with its line`(text: String, error: String) { #expect(errors(text) == [error]) }

  @Test func `all mistakes of a file are told at once, in order, up to a bound`() throws {
    #expect(
      errors("GET /a -> Shelf.GetBok\n  etag\nGET /b -> Shelf.AddBook\nGET /c -> Shelf.FindBook").map { $0.prefix(8) }
        == ["line 1: ", "line 3: ", "line 4: "])
    #expect(errors("POST\n  status 9\n  etag\nGET").count == 2)
    let many = String(repeating: "nonsense\n", count: 100)
    #expect(throws: RouteFileErrors.self) { try file(many) }
    #expect(errors(many).count == RouteFileErrors.countMax)
    #expect(throws: RouteFileErrors.self) { try RouteFile(parsing: [0xFF]) }
    let tooMany = (0...RouteFile.routesMax).map { "GET /a\($0) -> A.B\n" }.joined()
    #expect(errors(tooMany) == ["line 1001: a file has at most 1000 routes"])
  }

  @Test func `methods are found by their short name where it is clear, and replicas share a route`() throws {
    let offers = Self.offers + Self.offers
    let text =
      "GET /a/{id} -> Shelf.GetBook\nGET /b/{id} -> test.shelf.Shelf.GetBook\nGET /c/{id} -> test.shelf.Shelf/GetBook"
    let table = RouteTable(offers, try file(text))
    #expect(table.fileErrors == [] && table.routes.suffix(3).allSatisfy { $0.backends.count == 2 })
    let twin = ShelfSchema.source.replacing("package test.shelf", with: "package test.twin")
      .replacing("Shelf = 40", with: "Shelf = 42").replacing("\"/v1", with: "\"/v2")
    let member = PoolMember(loop: Self.loop, connection: FakeBackend(source: twin))
    let two = RouteTable(
      offers + [(BackendServer(member: member), FakeBackend.translator(twin)!)],
      try file("GET /a/{id} -> Shelf.GetBook"))
    #expect(
      two.fileErrors.map(\.message) == [
        "'Shelf.GetBook' has several meanings; write test.shelf.Shelf/GetBook or test.twin.Shelf/GetBook"
      ])
  }
}
