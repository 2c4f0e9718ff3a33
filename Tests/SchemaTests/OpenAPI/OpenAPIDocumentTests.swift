import Foundation
import JSON
import Schema
import Testing

@Suite("OpenAPIDocument")
struct OpenAPIDocumentTests {
  private static let directory = URL(filePath: #filePath).deletingLastPathComponent()

  private static func notes() throws -> SchemaSet {
    let source = try String(contentsOf: directory.appending(path: "notes.gozon"), encoding: .utf8)
    return try SchemaSet.parse([("notes.gozon", source)])
  }

  private static func document(_ operations: [APIOperation], asksForTokens: Bool = false) -> JSONValue {
    var options = OpenAPIDocument.Options(codes: ["NOT_FOUND", "INTERNAL"])
    options.asksForTokens = asksForTokens
    return OpenAPIDocument(operations, options).json
  }

  /// `notes.json` is held to the rules of OpenAPI 3.1 by `test_api_description.py`.
  @Test func `a schema's description is as it was`() throws {
    let document = Self.document(APIOperation.all(in: try Self.notes()), asksForTokens: true)
    let text = String(decoding: JSONLayout.indented(document.encoded), as: UTF8.self) + "\n"
    let expected = try String(contentsOf: Self.directory.appending(path: "notes.json"), encoding: .utf8)
    let (lines, expectedLines) = (text.split(separator: "\n"), expected.split(separator: "\n"))
    let place = zip(lines, expectedLines).enumerated().first { $1.0 != $1.1 }
    #expect(place == nil, "line \(place!.offset + 1) of notes.json is \(place!.element.1), and now \(place!.element.0)")
    if text != expected {
      let present = FileManager.default.temporaryDirectory.appending(path: "notes.json")
      try text.write(to: present, atomically: true, encoding: .utf8)
      Issue.record("the description has changed: compare \(present.path) with notes.json")
    }
  }

  @Test func `an operation lists the statuses that it can give, and no others`() throws {
    let operations = try Self.document(APIOperation.all(in: Fixtures.house()))["paths"]
    func statuses(_ path: String, _ method: String) throws -> [String] {
      try #require(operations?[path]?[method]?["responses"]?.members).map(\.name)
    }
    #expect(
      try statuses("/v1/orders", "post").joined(separator: " ")
        == "201 400 404 406 408 409 413 414 415 422 429 431 499 500 501 503 504")
    #expect(
      try statuses("/v1/orders/{id}", "get").joined(separator: " ")
        == "200 304 400 404 406 412 414 429 431 499 500 501 503 504")
  }

  @Test func `tokens are spoken of where they are asked for`() throws {
    let operations = APIOperation.all(in: try Self.notes())
    let (without, with) = (Self.document(operations), Self.document(operations, asksForTokens: true))
    #expect(without["components"]?["securitySchemes"] == nil && !without.description.contains("\"401\""))
    let write = with["paths"]?["/v1/notes"]?["put"]
    #expect(write?["security"]?.description == #"[{"bearer":[]}]"#)
    #expect(write?["responses"]?["401"] != nil && write?["responses"]?["403"] != nil)
    let watch = with["paths"]?["/v1/notes/watch"]?["get"]
    #expect(watch?["security"] == nil && watch?["responses"]?["401"] != nil && watch?["responses"]?["403"] == nil)
  }

  @Test func `a route may call fields otherwise, and its description does`() throws {
    let schemas = try Self.notes()
    let write = try #require(schemas.services[0].methods.first { $0.name == "WriteNote" })
    let binding = HTTPBinding(
      method: .post, path: try #require(PathTemplate("/write/{book}")),
      sources: [
        FieldSource(field: "text", place: .body("words")), FieldSource(field: "volume", place: .query("how")),
        FieldSource(field: "times", place: .constant("1")),
      ])
    let document = Self.document([APIOperation(write, by: binding, in: schemas)])
    let operation = document["paths"]?["/write/{book}"]?["post"]
    let names = operation?["parameters"]?.array?.map { "\($0["in"]?.string ?? "") \($0["name"]?.string ?? "")" }
    #expect(names == ["path book", "query how", "header Idempotency-Key"])
    let body = operation?["requestBody"]?["content"]?["application/json"]?["schema"]
    #expect(
      body?["properties"]?.members?.map(\.name) == ["words", "below", "share", "file", "reply", "tags"]
        && body?["required"]?.description == #"["words"]"#)
  }

  @Test func `two paths of one shape are one, under the names of the first`() throws {
    let schemas = try Self.notes()
    let get = try #require(schemas.services[0].methods.first { $0.name == "GetNote" })
    let find = try #require(schemas.services[0].methods.first { $0.name == "FindNotes" })
    let document = Self.document([
      APIOperation(get, by: HTTPBinding(method: .delete, path: PathTemplate("/a/{id}")!), in: schemas),
      APIOperation(find, by: HTTPBinding(method: .get, path: PathTemplate("/a/{book}")!), in: schemas),
    ])
    #expect(document["paths"]?.members?.map(\.name) == ["/a/{id}"])
    let found = document["paths"]?["/a/{id}"]?["get"]
    #expect(
      found?["parameters"]?.array?[0]["name"]?.string == "id" && found?["operationId"]?.string == "Notes.FindNotes")
  }

  @Test func `types of one name in two packages keep their packages`() throws {
    let other = """
      /// Others.
      package test.other

      /// A note.
      message Note {
        /// What it says.
        text: string = 1
      }

      /// Keeps other notes.
      service Notes = 51 {
        /// Gives it back.
        rpc Echo(Note) -> Note = 1
          @http(POST, "/v1/echo")
          @idempotent
      }
      """
    let operations =
      APIOperation.all(in: try Self.notes())
      + APIOperation.all(in: try SchemaSet.parse([("other.gozon", other)]))
    let document = Self.document(operations)
    let names = document["components"]?["schemas"]?.members?.map(\.name) ?? []
    #expect(names.contains("test.notes.Note") && names.contains("test.other.Note") && names.contains("Volume"))
    #expect(document["tags"]?.array?.compactMap { $0["name"]?.string } == ["test.notes.Notes", "test.other.Notes"])
  }
}
