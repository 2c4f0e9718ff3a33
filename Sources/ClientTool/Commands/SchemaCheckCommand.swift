internal import EventLoop
internal import JetStream
internal import JSON
internal import Schema

/// `gozon schema check`: what is wrong with schema files, and what their readers would regret.
struct SchemaCheckCommand: Command {
  static let syntax = CommandSyntax(
    name: "schema check", summary: "Checks schema files: the language's rules, and what would be regretted later.",
    details: """
      A line for each finding: file:line:column, how bad it is, what is wrong and what to do, and the rule's name. A
      comment '// allow RULE: reason' above a declaration allows what the rule finds in it. Exit status 1 when there is
      an error; warnings alone are 0.
      """,
    operands: [
      .init(
        name: "PATH", isOptional: true, isRepeatable: true, completion: .file,
        help: "Directories, or .gozon files among what they import; \(SchemaDirectory.usual) if left out.")
    ],
    options: [.json])

  private let paths: [String]
  private let isJSON: Bool

  init(_ arguments: Arguments) throws(UsageError) {
    paths = arguments.operands.isEmpty ? [SchemaDirectory.usual] : arguments.operands
    isJSON = arguments.flag("json")
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    var problems: [Problem] = []
    for (directory, file) in paths.map(Self.target) {
      let found = try Self.problems(in: directory).filter { file == nil || $0.file == "\(directory.path)/\(file!)" }
      for problem in found where !problems.contains(problem) { problems.append(problem) }
    }
    let errors = problems.count { $0.level == .error }
    if isJSON {
      for problem in problems { terminal.print("\(problem.json)") }
    } else {
      let summary = "\(counted(errors, "error")), \(counted(problems.count - errors, "warning"))"
      terminal.print((problems.map(\.text) + [summary]).joined(separator: "\n"))
    }
    return errors == 0 ? .ok : .notWell
  }

  /// A file is checked with all others of its directory, but reported alone.
  private static func target(_ path: String) -> (SchemaDirectory, file: String?) {
    guard path.hasSuffix(".gozon") else { return (SchemaDirectory(path), nil) }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let directory = parts.dropLast().joined(separator: "/")
    return (SchemaDirectory(parts.count == 1 ? "." : directory.isEmpty ? "/" : directory), parts.last.map(String.init))
  }

  private static func problems(in directory: SchemaDirectory) throws -> [Problem] {
    do {
      return Linter.findings(in: try directory.schemas()).map { finding in
        Problem(
          file: "\(directory.path)/\(finding.place.file)", position: finding.place.position, level: finding.rule.level,
          rule: finding.rule.rawValue, message: finding.message)
      }
    } catch let errors as SchemaErrors {
      return errors.errors.map {
        Problem(file: $0.file, position: $0.position, level: .error, rule: "language", message: $0.message)
      }
    }
  }
}

/// A mistake against the language, or a finding.
private struct Problem: Equatable {
  let file: String
  let position: SourcePosition
  let level: LintLevel
  let rule: String
  let message: String

  var text: String { "\(file):\(position): \(level.rawValue): \(message) [\(rule)]" }

  var json: JSONValue {
    [
      "rule": .string(rule), "level": .string(level.rawValue), "place": .string("\(file):\(position)"),
      "message": .string(message),
    ]
  }
}
