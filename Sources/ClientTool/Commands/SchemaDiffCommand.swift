internal import EventLoop
internal import RPC
internal import Schema

/// `gozon schema diff`: what the present schemas break for releases.
struct SchemaDiffCommand: Command {
  static let syntax = CommandSyntax(
    name: "schema diff", summary: "Tells what schemas break for every release of them.",
    details: """
      A paragraph for each change: where it is, what it breaks, why, what to do instead, the rule's name, and where it was
      in each release that suffers. 'wire' breaks programs that talk to each other, 'json' breaks callers that name
      things; these are breaches. 'source' only asks for changes in code. A comment '// allow RULE: reason' above a
      declaration allows a breach in it. Exit status 1 when there is a breach.
      """,
    operands: [SchemaDirectory.operand],
    options: [
      .init(
        name: "against", value: "RELEASE|DIR",
        help: "Compare with this release, or with a directory, instead of all in DIR/released."), .json,
    ])

  private let directory: SchemaDirectory
  private let against: String?
  private let isJSON: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    directory = SchemaDirectory(arguments.operand(0) ?? SchemaDirectory.usual)
    against = arguments.text("against")
    isJSON = arguments.flag("json")
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    guard let schemas = try directory.schemas(terminal) else { return .notWell }
    var comparison = ReleaseComparison(schemas, in: directory)
    for (name, earlier) in try earlierOnes() {
      guard let schemas = try earlier.schemas(terminal) else { return .notWell }
      comparison.compare(with: schemas, in: earlier, name: name)
    }
    if isJSON {
      for change in comparison.json { terminal.print("\(change)") }
    } else {
      terminal.print(comparison.text)
    }
    return comparison.breaches == 0 ? .ok : .notWell
  }

  /// What to compare with. Nothing is no answer: a gate that is pointed at the wrong place must not pass.
  private func earlierOnes() throws -> [(name: String, directory: SchemaDirectory)] {
    let releases = try directory.releases()
    guard let against else {
      guard !releases.isEmpty else {
        throw RPCError(
          .invalidArgument,
          "there is no release in \(directory.path)/released; make one with 'gozon schema release NAME', or name what to"
            + " compare with: --against DIR")
      }
      return releases.map { ($0, directory.release($0)) }
    }
    if releases.contains(against) { return [(against, directory.release(against))] }
    guard WholeFile.isDirectory(against) else {
      let hint = suggestion(for: against, among: releases)
      throw RPCError(
        .invalidArgument,
        "'\(against)' is neither a release of \(directory.path) (\(releases.joined(separator: ", "))) nor a directory\(hint)"
      )
    }
    return [(against, SchemaDirectory(against))]
  }
}
