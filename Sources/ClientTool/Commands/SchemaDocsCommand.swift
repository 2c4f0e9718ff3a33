internal import EventLoop

/// `gozon schema docs`: a reference of what schemas declare.
struct SchemaDocsCommand: Command {
  static let syntax = CommandSyntax(
    name: "schema docs", summary: "Prints a reference of schemas in Markdown.",
    details: "Services, methods and their routes, messages and the bounds of their fields, and enums, with all docs.",
    operands: [SchemaDirectory.operand],
    options: [.init(name: "json", help: "Print JSON, one document a declaration, instead of Markdown.")])

  private let directory: SchemaDirectory
  private let isJSON: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    directory = SchemaDirectory(arguments.operand(0) ?? SchemaDirectory.usual)
    isJSON = arguments.flag("json")
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    guard let schemas = try directory.schemas(terminal) else { return .notWell }
    let reference = SchemaReference(schemas: schemas)
    if isJSON {
      for declaration in reference.json { terminal.print("\(declaration)") }
    } else {
      terminal.print(reference.markdown)
    }
    return .ok
  }
}
