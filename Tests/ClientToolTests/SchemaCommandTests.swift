import Foundation
import JetStream
import JSON
import Testing

@testable import ClientTool

/// The commands that work on schema files.
@Suite struct SchemaCommandTests {
  private static let source = """
    /// Things.
    package t.things

    /// Asks for one.
    message GetThingRequest {
      /// Which one.
      id: uuid = 1
    }

    /// Something.
    message Thing {
      /// What it weighs, in grams.
      weight: int64 = 1
    }

    /// Keeps them.
    service Things = 9 {
      /// Finds one.
      rpc GetThing(GetThingRequest) -> Thing = 1 @http(GET, "/v1/things/{id}") @idempotent @access(anyone)
    }

    """

  /// Runs `body` with a directory that holds the schema, and a function that writes others.
  private func withDirectory(
    _ body: (_ path: String, _ write: (_ source: String) throws -> Void) async throws -> Void
  ) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "gozon-schemas-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    func write(_ source: String) throws {
      try Data(source.utf8).write(to: directory.appending(path: "things.gozon"))
    }
    try write(Self.source)
    try await body(directory.path(), write)
  }

  @Test func `check has nothing to say of a schema without faults`() async throws {
    try await withDirectory { path, _ in
      let run = await gozon("schema", "check", path)
      #expect(run.status == 0 && run.output == "no errors, no warnings\n" && run.errors.isEmpty)
    }
  }

  @Test func `check names each fault with its file, and fails for errors only`() async throws {
    try await withDirectory { path, write in
      let file = path + (path.hasSuffix("/") ? "" : "/") + "things.gozon"
      try write(Self.source.replacing("/v1/things", with: "/things"))
      let warned = await gozon("schema", "check", file)
      #expect(warned.status == 0 && warned.lines.count == 2)
      #expect(warned.output.hasPrefix("\(file):19:7: warning: GET /things/{id} has no version"))
      try write(Self.source.replacing("weight: int64", with: "weight: float64, price"))
      let refused = await gozon("schema", "check", path, "--json")
      let problem = try JSONValue(parsing: Array(refused.lines[0].utf8).span)
      #expect(refused.status == 1 && problem["rule"]?.string == "language" && problem["level"]?.string == "error")
      #expect(problem["place"]?.string == "\(file):13:18")
      try write(Self.source.replacing("weight: int64", with: "price: float64"))
      #expect(await gozon("schema", "check", path).status == 1)
    }
  }

  @Test func `a release is kept, and later schemas are held against all of them`() async throws {
    try await withDirectory { path, write in
      let release = await gozon("schema", "release", "0.9", path)
      #expect(release.status == 0 && release.output.hasSuffix("released/0.9: 1 schema, 7 messages\n"), "\(release)")
      #expect(await gozon("schema", "diff", path).output == "compared with 0.9: no breaches\n")
      try write(
        Self.source.replacing("= 1\n}\n\n/// Keeps", with: "= 1\n  /// Its length.\n  size: int64? = 2\n}\n\n/// Keeps")
      )
      #expect(await gozon("schema", "release", "0.10", path).status == 0)
      try write(Self.source.replacing("weight: int64", with: "mass: int64"))
      let diff = await gozon("schema", "diff", path)
      #expect(diff.status == 1 && diff.lines.count == 6, "\(diff)")
      #expect(
        diff.output.contains("things.gozon:13:3: json, source: t.things.Thing.weight: the field is called 'mass' now"))
      #expect(diff.output.contains("[field-renamed]\n  was in 0.9 at"))
      #expect(diff.output.contains("t.things.Thing.size: the field is gone and its place is not kept"))
      #expect(diff.lines[5] == "compared with 0.9, 0.10: 2 breaches")
      #expect(await gozon("schema", "diff", path, "--against", "0.9").lines.last == "compared with 0.9: 1 breach")
      let json = await gozon("schema", "diff", path, "--against", path + "/released/0.9", "--json")
      let change = try JSONValue(parsing: Array(json.lines[0].utf8).span)
      #expect(json.status == 1 && change["levels"] == ["json", "source"] && change["breach"]?.bool == true)
    }
  }

  @Test func `a release that breaks an earlier one, has errors or is there already is refused`() async throws {
    try await withDirectory { path, write in
      #expect(await gozon("schema", "release", "1", path).status == 0)
      let again = await gozon("schema", "release", "1", path)
      #expect(again.status == 1 && again.errors.contains("--replace"))
      try write(Self.source.replacing("weight: int64", with: "weight: int32"))
      let breaking = await gozon("schema", "release", "2", path)
      #expect(breaking.status == 1 && breaking.errors.contains("[field-type-changed]"))
      #expect(await gozon("schema", "release", "1", path, "--replace").status == 0)
      try write(Self.source.replacing(" @http(GET, \"/v1/things/{id}\") @idempotent @access(anyone)", with: ""))
      let unready = await gozon("schema", "release", "3", path)
      #expect(unready.status == 1 && unready.errors.contains("[repeat-unsaid]"))
      #expect(await gozon("schema", "release", "../2", path).status == 2)
    }
  }

  @Test func `a gate that is pointed at the wrong place does not pass`() async throws {
    try await withDirectory { path, write in
      #expect(await gozon("schema", "diff", path).errors.contains("there is no release in"))
      #expect(await gozon("schema", "diff", path, "--against", "0.1").status == 67)
      #expect(await gozon("schema", "check", path + "/nothing").status == 67)
      #expect(await gozon("schema", "check", "/").errors.contains("there is no .gozon file in /"))
      try write("package things")
      let wrong = await gozon("schema", "diff", path)
      #expect(wrong.status == 1 && wrong.errors.contains("there is no doc comment"))
    }
  }

  @Test func `docs are a reference in Markdown, or JSON`() async throws {
    try await withDirectory { path, _ in
      let markdown = await gozon("schema", "docs", path)
      for text in [
        "### Service Things", "#### Things.GetThing", "- HTTP: `GET /v1/things/{id} -> 200`",
        "- returns: [Thing](#thing)",
        "| 1 | `weight` | `int64` |  | What it weighs, in grams. |",
      ] {
        #expect(markdown.lines.contains { $0 == text }, "\(text)")
      }
      let json = await gozon("schema", "docs", path, "--json")
      let kinds = try json.lines.map { try JSONValue(parsing: Array($0.utf8).span)["kind"]?.string }
      #expect(kinds == ["service", "message", "message"])
    }
  }

  @Test func `docs are OpenAPI, too`() async throws {
    try await withDirectory { path, _ in
      let described = await gozon("schema", "docs", path, "--openapi")
      let document = try JSONValue(parsing: Array(described.lines.joined(separator: "\n").utf8).span)
      #expect(document["openapi"]?.string == "3.1.1")
      #expect(document["paths"]?["/v1/things/{id}"]?["get"]?["operationId"]?.string == "Things.GetThing")
      let both = await gozon("schema", "docs", path, "--openapi", "--json")
      #expect(both.status == 2)
    }
  }
}
