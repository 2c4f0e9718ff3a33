internal import EventLoop
internal import RPC
internal import Schema
internal import Wire

/// `gozon schema release`: keeps the schemas as they are, for later ones to be held against.
struct SchemaReleaseCommand: Command {
  static let syntax = CommandSyntax(
    name: "schema release", summary: "Keeps the schemas as a release, which later ones must not break.",
    details: """
      Copies the schemas to DIR/released/NAME and writes a corpus of encoded messages beside each, which later schemas
      must decode. Refused while 'schema check' has errors or 'schema diff' has breaches.
      """,
    operands: [
      .init(name: "NAME", help: "Of the release, such as 0.1."), SchemaDirectory.operand,
    ],
    options: [.init(name: "replace", help: "Make a release anew that is not out yet.")])

  private let name: String
  private let directory: SchemaDirectory
  private let isReplacing: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.operand(0) ?? ""
    directory = SchemaDirectory(arguments.operand(1) ?? SchemaDirectory.usual)
    isReplacing = arguments.flag("replace")
    let isName = name.utf8.allSatisfy { byte in
      let character = Character(UnicodeScalar(byte))
      return character.isASCII && (character.isLetter || character.isNumber || ".-_".contains(character))
    }
    guard isName, !name.isEmpty, name.first != ".", name.utf8.count <= 64 else {
      throw UsageError("NAME is letters, digits and .-_, such as 0.1, not '\(name)'")
    }
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    guard let schemas = try directory.schemas(terminal) else { return .notWell }
    let releases = try directory.releases()
    guard isReplacing || !releases.contains(name) else {
      terminal.note("release \(name) is there already; --replace makes it anew, if it is not out yet")
      return .notWell
    }
    guard try isReady(schemas, releases.filter { $0 != name }, terminal) else { return .notWell }
    let corpora = try schemas.files.indices.map { try corpus(of: $0, in: schemas) }
    try write(schemas, corpora)
    let count = corpora.reduce(0) { $0 + $1.entries.count }
    terminal.print(
      "\(directory.release(name).path): \(counted(schemas.files.count, "schema")), \(counted(count, "message"))")
    return .ok
  }

  private func isReady(_ schemas: SchemaSet, _ releases: [String], _ terminal: Terminal) throws -> Bool {
    let errors = Linter.findings(in: schemas).filter { $0.rule.level == .error }
    for error in errors { terminal.note("\(directory.path)/\(error)") }
    var comparison = ReleaseComparison(schemas, in: directory)
    for release in releases {
      let earlier = directory.release(release)
      guard let schemas = try earlier.schemas(terminal) else { return false }
      comparison.compare(with: schemas, in: earlier, name: release)
    }
    if comparison.breaches > 0 { terminal.note("the schemas break releases:\n\(comparison.text)") }
    return errors.isEmpty && comparison.breaches == 0
  }

  private func corpus(of file: Int, in schemas: SchemaSet) throws -> Corpus {
    do {
      return try Corpus(of: file, in: schemas)
    } catch let errors as RequestErrors {
      let problems = errors.violations.map { "\($0.pointer) \($0.detail)" }.joined(separator: "; ")
      throw RPCError(
        .invalidArgument, "no example keeps the marks of a message of \(schemas.files[file].name): \(problems)")
    }
  }

  private func write(_ schemas: SchemaSet, _ corpora: [Corpus]) throws {
    let release = directory.release(name).path
    try WholeFile.makeDirectory("\(directory.path)/released")
    try WholeFile.makeDirectory(release)
    for file in try WholeFile.names(in: release) where file.hasSuffix(".gozon") || file.hasSuffix(".corpus") {
      try WholeFile.remove("\(release)/\(file)")
    }
    for (file, corpus) in zip(schemas.files, corpora) {
      try WholeFile.write(file.source, to: "\(release)/\(file.name)")
      let comment = "The messages of \(file.name) as release \(name) encodes them, by 'gozon schema release'."
      try WholeFile.write(corpus.text(comment: comment), to: "\(release)/\(file.name.dropLast(6)).corpus")
    }
  }
}
