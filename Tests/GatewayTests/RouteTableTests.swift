import EventLoop
@testable import Gateway
import RPC
import Schema
import Testing

@Suite struct RouteTableTests {
  // It never runs: nothing of these servers happens.
  private static let loop = try! EventLoop()

  private static func offer(_ source: String) -> (backend: BackendServer, translator: JSONTranslator) {
    let member = PoolMember(loop: loop, connection: FakeBackend(source: source))
    return (BackendServer(member: member), FakeBackend.translator(source)!)
  }

  private static let table = RouteTable([offer(ShelfSchema.source)])

  private func match(_ method: String, _ path: String, in table: RouteTable = table) -> String {
    switch table.match(method, Array(path.utf8)[...]) {
    case .found(let route, let variables):
      ([route.method.name] + variables.map { String(decoding: $0, as: UTF8.self) }).joined(separator: " ")
    case .methodNotAllowed(let allowed): "allow " + allowed.joined(separator: ",")
    case .notFound: "not found"
    }
  }

  @Test(arguments: [
    ("POST", "/v1/shelves/a/books", "AddBook a"),
    ("GET", "/v1/shelves/a%20b/books", "ListBooks a%20b"),
    ("HEAD", "/v1/shelves/a/books", "ListBooks a"),
    ("GET", "/v1/books/7", "GetBook 7"),
    ("DELETE", "/v1/books/best", "BestBook"),
    ("POST", "/v1/books/best/lend", "LendBook best"),
    ("PUT", "/v1/shelves/a/books", "allow GET,HEAD,OPTIONS,POST"),
    ("OPTIONS", "/v1/books/7/lend", "allow OPTIONS,POST"),
    ("HEAD", "/v1/books/7/lend", "allow OPTIONS,POST"),
    ("GET", "/v1/books/best", "allow DELETE,OPTIONS"),
    ("GET", "/v1/books", "not found"), ("GET", "/v1/books/", "not found"), ("GET", "/v1/books/7/", "not found"),
    ("GET", "//v1/books/7", "not found"), ("GET", "/V1/books/7", "not found"), ("GET", "", "not found"),
    ("GET", "/", "not found"), ("GET", "*", "not found"), ("GET", "/v1/shelves//books", "not found"),
    ("GET", "/v1/books/7/lend/8", "not found"),
    ("GET", "/v1/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", "not found"),
  ])
  func `a method and a path find their route`(method: String, path: String, expected: String) {
    #expect(match(method, path) == expected)
  }

  @Test func `the first backend keeps a route that two want, and the conflict is told`() {
    let table = RouteTable([Self.offer(ShelfSchema.source), Self.offer(ShelfSchema.rival)])
    #expect(match("GET", "/v1/books/7", in: table) == "GetBook 7")
    #expect(match("GET", "/v1/things/7", in: table) == "GetOther 7")
    #expect(
      table.conflicts == [
        "GET /v1/books/{id} stays with test.shelf.Shelf/GetBook; test.rival.Things/GetThing is not reachable by it"
      ])
  }

  @Test func `replicas of a service share its routes`() {
    let table = RouteTable([Self.offer(ShelfSchema.source), Self.offer(ShelfSchema.source)])
    #expect(table.conflicts.isEmpty && table.routes.count == 6)
    #expect(table.routes.allSatisfy { $0.backends.count == 2 })
  }
}
