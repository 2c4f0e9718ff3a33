import Schema
import Testing

/// What is said about wrong marks and routes. The body's first line is line 3.
@Suite("Marks")
struct SchemaMarkTests {
  private func errors(_ body: String) -> [SchemaError] {
    do {
      _ = try SchemaSet.parse([("t.gozon", "/// T.\npackage t\n" + body)])
      return []
    } catch {
      return error.errors
    }
  }

  @Test(arguments: [
    ("int32", "@range(1, 2) @range(1, 2)", "30: the mark '@range' is there twice"),
    ("int32", "@rang(1, 2)", "17: a field has no mark '@rang', only @range, @length, @pattern; did you mean 'range'?"),
    ("int32", "@range(1)", "17: write the two bounds as @range(1, 100)"),
    ("int32", "@range", "17: write the two bounds as @range(1, 100)"),
    ("int32", "@range(min: 1, max: 2)", "17: write the two bounds as @range(1, 100)"),
    ("int32", "@range(2, 1)", "23: the first bound is above the second"),
    ("int32", "@range(0, 2147483648)", "17: the type holds -2147483648 to 2147483647; the range must lie inside"),
    ("uint32", "@range(-1, 5)", "18: the type holds 0 to 4294967295; the range must lie inside"),
    ("string", "@range(1, 2)", "18: @range bounds a number; this field is none"),
    ("list<int32>", "@range(1, 2)", "23: @range bounds a number; this field is none"),
    ("int32", "@length(1, 2)", "17: @length bounds a text, bytes or a list; this field is none"),
    ("string", "@length(-1, 2)", "18: a length is never negative"),
    ("bytes", "@pattern(\"a\")", "17: @pattern is for a text; this field is none"),
    ("string", "@pattern(a)", "18: write the pattern as @pattern(\"[A-Z]{3}\")"),
    (
      "string", "@pattern(\"(a)\")",
      "26: the pattern is wrong at character 1: groups, alternatives, '.' and anchors are not supported; put a backslash before a character that is meant as it is"
    ),
  ])
  func `a field's marks fit its type`(type: String, marks: String, error: String) {
    #expect(
      errors("/// A.\nmessage A {\n  /// F.\n  f: \(type) = 1 \(marks)\n}").map {
        "\($0.position.column): \($0.message)"
      } == [error])
  }

  /// The last line of the service is line 22 or so; only the message is compared.
  @Test(arguments: [
    ("@http(GET, \"/a/{id}\") @idempotent", []),
    ("@http(GET, \"/a/{id}\")", ["browsers and proxies repeat a GET at will; mark the method @idempotent"]),
    ("@http(GET) @idempotent", ["write the route as @http(GET, \"/v1/orders/{id}\")"]),
    ("@http(FETCH, \"/a/{id}\")", ["the method of HTTP is one of GET, POST, PUT, PATCH, DELETE"]),
    ("@http(POST, \"/a/{ix}\")", ["Request has no field 'ix'; did you mean 'id'?"]),
    ("@http(POST, \"/a/{list}\")", ["'list' cannot stand in a path: it is no single value"]),
    ("@http(POST, \"/a/{part}\")", ["'part' cannot stand in a path: it is no single value"]),
    ("@http(POST, \"/a/{id}/{id}\")", ["the path has {id} twice"]),
    ("@http(POST, \"a\")", [pathHelp]), ("@http(POST, \"/\")", [pathHelp]), ("@http(POST, \"/a//b\")", [pathHelp]),
    ("@http(POST, \"/a b\")", [pathHelp]), ("@http(POST, \"/a{id}\")", [pathHelp]),
    ("@http(POST, \"/{}\")", [pathHelp]),
    ("@http(POST, \"/a?b=c\")", [pathHelp]), ("@http(POST, \"/a%20b\")", [pathHelp]), ("@http(POST, 1)", [pathHelp]),
    (
      "@http(GET, \"/b\") @idempotent",
      [
        "'part' of Request cannot come from a query: it is a message; use POST"
      ]
    ),
    ("@http(POST, \"/a\", status: 404)", ["the status of a success with a body is 200 to 299 but not 204 or 205"]),
    ("@http(POST, \"/a\", status: 204)", ["the status of a success with a body is 200 to 299 but not 204 or 205"]),
    ("@http(POST, \"/a\", 201)", ["behind the path, only status: 201, location: \"/…\" and etag may stand"]),
    ("@http(POST, \"/a\", location: \"/a/{maybe}\")", ["a field in the location must never be absent"]),
    ("@http(POST, \"/a\", location: \"/a/{idd}\")", ["Response has no field 'idd'; did you mean 'id'?"]),
    ("@idempotent @idempotencyKey", ["an idempotent method needs no key; keep one of the two marks"]),
    ("@idempotent(true)", ["@idempotent takes no arguments"]),
    (
      "@idempotnet",
      [
        "a method has no mark '@idempotnet', only @http, @idempotent, @idempotencyKey, @access; did you mean 'idempotent'?"
      ]
    ),
    ("@access(anyone)", []), ("@access(object)", []), ("@access(owner: id)", []), ("@access(owner: maybe)", []),
    ("@access", [accessHelp]), ("@access(nobody)", [accessHelp]), ("@access(id)", [accessHelp]),
    ("@access(owner: 1)", [accessHelp]), ("@access(owner: id, anyone)", [accessHelp]),
    ("@access(owner: idd)", ["Request has no field 'idd'; did you mean 'id'?"]),
    ("@access(owner: list)", ["an owner is one uuid; 'list' of Request is none"]),
    ("@access(owner: part)", ["an owner is one uuid; 'part' of Request is none"]),
    ("@access(anyone) @access(operator)", ["the mark '@access' is there twice"]),
    ("@http(POST, \"/a/{id}\") @http(PUT, \"/a/{id}\")", []),
    ("@http(POST, \"/a/{id}\") @http(POST, \"/a/{maybe}\")", ["t.S/Do has the route POST /a/{} already"]),
  ])
  func `a method's marks are checked`(marks: String, expected: [String]) {
    let isQuery = marks.contains("/b")
    let body = """
      /// Part.
      message Part {}
      /// Request.
      message Request {
        /// Id.
        id: uuid = 1
        /// Maybe.
        maybe: uuid? = 2
        /// List.
        \(marks.contains("list") || isQuery ? "list: list<uuid> = 3" : "list: uuid? = 3")
        /// Part.
        \(marks.contains("part") || isQuery ? "part: Part? = 4" : "part: bool? = 4")
      }
      /// Response.
      message Response {
        /// Id.
        id: uuid = 1
        /// Maybe.
        maybe: uuid? = 2
      }
      /// S.
      service S = 1 {
        /// Do.
        rpc Do(Request) -> Response = 1 \(marks)
      }
      """
    #expect(errors(body).map(\.message) == expected)
  }

  @Test(arguments: [
    ("rpc Do(A) -> A = 0", ["the number of a method is 1 to 255, not 0"]),
    ("rpc Do(A) -> A = 256", ["the number of a method is 1 to 255, not 256"]),
    ("rpc do(A) -> A = 1", ["'do' must be in UpperCamelCase, such as 'CreateOrder'"]),
    ("rpc Do(E) -> A = 1", ["'E' is not a message; a method takes and returns messages"]),
    ("rpc Do(A) -> string = 1", ["'string' is not a message; a method takes and returns messages"]),
    ("rpc Do(A) -> B = 1", ["there is no type 'B'"]),
    (
      "rpc Do(A) -> A = 1\n/// Twice.\nrpc Do(A) -> A = 1",
      ["the service has a method 'Do' already", "'Do' has the number 1 already"]
    ),
  ])
  func `methods are checked`(method: String, expected: [String]) {
    let body =
      "/// A.\nmessage A {}\n/// E.\nenum E {\n/// X.\nX = 1\n}\n/// S.\nservice S = 1 {\n/// Do.\n\(method)\n}"
    #expect(errors(body).map(\.message) == expected)
  }

  @Test(arguments: [
    ("rpc Do(stream A) -> A = 1 @idempotent", ["28: a client cannot repeat a stream; remove @idempotent"]),
    ("rpc Do(stream A) -> A = 1 @idempotencyKey", ["28: a client cannot repeat a stream; remove @idempotencyKey"]),
    (
      "rpc Do(stream A) -> stream A = 1 @http(POST, \"/a\")",
      ["35: HTTP carries one request; a stream of them has no route; remove @http"]
    ),
    ("rpc Do(A) -> stream A = 1 @http(GET, \"/a\") @idempotent", []),
    ("rpc Do(A) -> stream A = 1 @idempotencyKey", []),
    ("rpc Do(A) -> stream A = 1 @http(POST, \"/a\")", ["33: HTTP asks for a stream of responses with GET only"]),
    (
      "rpc Do(A) -> stream A = 1 @http(GET, \"/a\", status: 201, etag) @idempotent",
      [
        "44: a route to a stream of responses has a path and nothing behind it",
        "57: a route to a stream of responses has a path and nothing behind it",
      ]
    ),
    ("rpc Do(stream) -> A = 1", ["14: expected a name, found ')'"]),
    ("rpc Do(stream stream A) -> A = 1", ["22: expected ')', found 'A'"]),
    ("rpc Do(A) -> stream string = 1", ["21: 'string' is not a message; a method takes and returns messages"]),
  ])
  func `streams are checked`(method: String, expected: [String]) {
    let body = "/// A.\nmessage A {}\n/// S.\nservice S = 1 {\n/// Do.\n\(method)\n}"
    #expect(errors(body).map { "\($0.position.column): \($0.message)" } == expected)
  }
}

private let accessHelp =
  "write who may call as @access(anyone), @access(operator), @access(object) or @access(owner: userId)"
private let pathHelp =
  "a path is written as \"/v1/orders/{id}\": letters, digits and -._~ between slashes, or one {field}"
