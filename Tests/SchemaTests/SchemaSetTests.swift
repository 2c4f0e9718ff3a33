import Foundation
import Schema
import Testing
import Wire

@Suite("SchemaSet")
struct SchemaSetTests {
  @Test func `the house's own schemas are right`() throws {
    let schemas = try Fixtures.house()
    #expect(schemas.services.map(\.fullName).sorted().contains("gozon.rpc.Server"))
    let orders = try #require(schemas.service(named: "gozon.orders.Orders"))
    let create = try #require(orders.methods.first { $0.name == "CreateOrder" })
    #expect(create.id == 16 << 8 | 1)
    #expect(create.fullName == "gozon.orders.Orders/CreateOrder")
    #expect(create.takesIdempotencyKey && !create.isIdempotent)
    let route = try #require(create.routes.first)
    #expect(route.method == .post && route.path.description == "/v1/orders" && route.status == 201)
    #expect(route.location?.description == "/v1/orders/{id}")
  }

  @Test func `the contract's routes are there`() throws {
    let schemas = try Fixtures.house()
    let routes = schemas.services.flatMap(\.methods).flatMap(\.routes).map { "\($0.method.rawValue) \($0.path)" }
    for route in [
      "POST /v1/accounts", "GET /v1/accounts/{userId}", "POST /v1/accounts/{userId}/deposits",
      "GET /v1/accounts/{userId}/entries", "POST /v1/orders", "GET /v1/orders/{id}", "GET /v1/orders",
    ] {
      #expect(routes.contains(route))
    }
  }

  @Test func `slots follow one another in the order of the numbers, also those of removed fields`() throws {
    let schemas = try Fixtures.everything()
    let message = try #require(schemas.message(named: "gozon.test.Everything"))
    let slots = message.fields.map { "\($0.number) \($0.name) \($0.slot)+\($0.slotSize)" }
    #expect(slots.prefix(3) == ["1 flag 8+1", "2 small 9+4", "3 big 13+8"])
    #expect(slots[10...12] == ["11 color 81+2", "13 leaf 91+8", "14 maybeFlag 99+1"])
    #expect(message.fields.last?.number == 30)
    #expect(message.fixedLength == (message.fields.last?.slot ?? 0) + 8 + 8 - 8)
  }

  @Test func `docs, marks and places are kept`() throws {
    let schemas = try Fixtures.everything()
    let message = try #require(schemas.message(named: "gozon.test.Everything"))
    let small = try #require(message.field(named: "small"))
    #expect(small.docs == "An int32." && small.position == SourcePosition(line: 11, column: 3))
    #expect(small.marks.range == -100...100)
    #expect(message.field(named: "name")?.marks.pattern?.text == #"[A-Za-z "\\]*"#)
    #expect(message.field(named: "numbers")?.marks.length == 0...3)
    #expect(schemas.files.map(\.imports) == [["shared.gozon"], []])
    #expect(schemas.enums[0].enumCase(numbered: 65535)?.name == "LIGHT_BLUE")
    #expect(schemas.enums[0].enumCase(named: "RED")?.docs == "Red.")
  }

  @Test func `a method has one of four shapes, and a package may be called stream`() throws {
    let source = """
      /// S.
      package stream
      /// A.
      message A {}
      /// S.
      service S = 1 {
        /// One.
        rpc Get(stream.A) -> A = 1
        /// Two.
        rpc Watch(A) -> stream A = 2
        /// Three.
        rpc Upload(stream stream.A) -> A = 3
        /// Four.
        rpc Chat(stream A) -> stream stream.A = 4
      }
      """
    let methods = try SchemaSet.parse([("s.gozon", source)]).services[0].methods
    #expect(methods.map(\.requestIsStream) == [false, false, true, true])
    #expect(methods.map(\.responseIsStream) == [false, true, false, true])
    #expect(methods.map(\.isUnary) == [true, false, false, false])
  }

  @Test func `types are spelled as the language spells them`() throws {
    let schemas = try Fixtures.everything()
    let message = try #require(schemas.message(named: "gozon.test.Everything"))
    let spellings = ["flag", "color", "maybeLeaf", "numbers"].map { name in
      message.field(named: name).map(schemas.spelling(of:)) ?? ""
    }
    #expect(spellings == ["bool", "gozon.test.shared.Color", "gozon.test.shared.Leaf?", "list<int64>"])
  }

  @Test func `a name means the file's own package first`() throws {
    let first = ("a.gozon", "/// A.\npackage a\n/// A thing.\nmessage Thing {}\n")
    let second = (
      "b.gozon",
      "/// B.\npackage b\nimport \"a.gozon\"\n/// A thing.\nmessage Thing {}\n/// Has.\nmessage Has {\n  /// X.\n  x: Thing = 1\n"
        + "  /// Y.\n  y: a.Thing = 2\n}\n"
    )
    let schemas = try SchemaSet.parse([first, second])
    #expect(schemas.message(named: "b.Has")?.fields.map(schemas.spelling(of:)) == ["b.Thing", "a.Thing"])
  }
}

/// The schemas that several suites read.
enum Fixtures {
  /// `Schemas` of the package.
  static func house() throws -> SchemaSet {
    try schemas(in: packageDirectory.appending(path: "Schemas"))
  }

  /// `Schemas` of this target.
  static func everything() throws -> SchemaSet {
    try schemas(in: packageDirectory.appending(path: "Tests/SchemaTests/Schemas"))
  }

  /// The package.
  static var packageDirectory: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  }

  /// The schemas of a directory.
  static func schemas(in directory: URL) throws -> SchemaSet {
    let files = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "gozon" }
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
    return try SchemaSet.parse(
      files.map { ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8)) })
  }
}
