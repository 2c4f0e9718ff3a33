internal import Schema

/// All commands, and the way from a command line to one of them.
enum CommandTable {
  /// The commands in the order of the help.
  static let commands: [any Command.Type] = [
    ListCommand.self, DescribeCommand.self, CallCommand.self, HealthCommand.self, TopCommand.self,
    StreamListCommand.self, StreamInfoCommand.self, StreamViewCommand.self, StreamTailCommand.self,
    DeadListCommand.self, DeadShowCommand.self, DeadReplayCommand.self, OrderCommand.self, VerifyCommand.self,
    BenchCommand.self, TokenKeygenCommand.self, TokenSignCommand.self, TokenShowCommand.self,
    SchemaCheckCommand.self, SchemaDiffCommand.self, SchemaDocsCommand.self,
    SchemaReleaseCommand.self, CompletionCommand.self,
  ]

  /// What a command line asks for.
  enum Request {
    /// Print this.
    case help(String)
    /// Run this.
    case run(any Command)
  }

  /// The meaning of the words behind `gozon`.
  static func request(_ words: [String], environment: [String: String]) throws(UsageError) -> Request {
    guard let first = words.first, !["--help", "-h"].contains(first) else { return .help(overview) }
    if words == ["help", "exit-status"] { return .help(ExitStatus.help) }
    if first == "help" { return try request(words.dropFirst() + ["--help"], environment: environment) }
    guard let type = command(of: words) else { throw unknown(words) }
    let syntax = type.syntax
    do throws(UsageError) {
      let rest = words.dropFirst(syntax.words.count)
      let arguments = try Arguments(rest, of: syntax, environment: environment)
      if arguments.isHelpWanted { return .help(syntax.help) }
      return .run(try type.init(arguments))
    } catch {
      throw error.of(syntax)
    }
  }

  /// The syntax of the command that the words begin with; nil when they begin with none.
  static func syntax(of words: [String]) -> CommandSyntax? { command(of: words)?.syntax }

  /// Also what no help names.
  private static func command(of words: [String]) -> (any Command.Type)? {
    (commands + [CompleteCommand.self]).first { words.starts(with: $0.syntax.words) }
  }

  private static func unknown(_ words: [String]) -> UsageError {
    let first = words[0]
    if first.hasPrefix("-") { return UsageError("options come behind the command, such as 'gozon list \(first)'") }
    let group = commands.map { $0.syntax.words }.filter { $0.count == 2 && $0[0] == first }.map { $0[1] }
    guard !group.isEmpty else {
      let names = commands.map { $0.syntax.words[0] } + ["help"]
      return UsageError("there is no command '\(first)'\(suggestion(for: first, among: names))")
    }
    let choices = group.joined(separator: ", ")
    guard words.count > 1, !words[1].hasPrefix("-") else {
      return UsageError("'\(first)' needs one of: \(choices)")
    }
    let hint = suggestion(for: words[1], among: group)
    return UsageError("there is no command '\(first) \(words[1])'\(hint.isEmpty ? "; there are \(choices)" : hint)")
  }

  private static var overview: String {
    let rows = commands.map { (left: "  \($0.syntax.name)", right: $0.syntax.summary) }
    return """
      gozon COMMAND [arguments] [options]

      Talks to a running Gozon: its services by RPC, its streams by NATS. It knows no service at build time; the services
      tell what they offer. Only order, verify and stream info look into the databases, and know their tables. The schema
      and token commands work on files, and need nothing that runs.

      Commands:
      \(CommandSyntax.aligned(rows).joined(separator: "\n"))

      gozon COMMAND --help tells the rest.

      Exit status: 0 when all is well; 1 when what was asked about is not well; 2 when the command line is wrong;
      64 + the status code when a call fails, such as 69 for NOT_FOUND and 78 for UNAVAILABLE. gozon help exit-status
      names all of them.
      """
  }
}

extension CommandSyntax {
  /// The words of the name.
  var words: [String] { name.split(separator: " ").map(String.init) }
}
