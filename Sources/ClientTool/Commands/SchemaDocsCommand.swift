internal import EventLoop
internal import JSON
internal import RPC
internal import Schema

/// `gozon schema docs`: a reference of what schemas declare.
struct SchemaDocsCommand: Command {
  static let syntax = CommandSyntax(
    name: "schema docs", summary: "Prints a reference of schemas in Markdown.",
    details: "Services, methods and their routes, messages and the bounds of their fields, and enums, with all docs.",
    operands: [SchemaDirectory.operand],
    options: [
      .init(name: "json", help: "Print JSON, one document a declaration, instead of Markdown."),
      .init(name: "openapi", help: "Print the routes as an OpenAPI 3.1 document instead, as a gateway describes them."),
    ])

  private let directory: SchemaDirectory
  private let isJSON: Bool
  private let isOpenAPI: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    directory = SchemaDirectory(arguments.operand(0) ?? SchemaDirectory.usual)
    isJSON = arguments.flag("json")
    isOpenAPI = arguments.flag("openapi")
    if isJSON, isOpenAPI { throw UsageError("--json and --openapi are two forms; choose one") }
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    guard let schemas = try directory.schemas(terminal) else { return .notWell }
    if isOpenAPI {
      let options = OpenAPIDocument.Options(codes: StatusCode.errorNames)
      let document = OpenAPIDocument(APIOperation.all(in: schemas), options).json.encoded
      terminal.print(String(decoding: JSONLayout.indented(document), as: UTF8.self))
      return .ok
    }
    let reference = SchemaReference(schemas: schemas)
    if isJSON {
      for declaration in reference.json { terminal.print("\(declaration)") }
    } else {
      terminal.print(reference.markdown)
    }
    return .ok
  }
}
