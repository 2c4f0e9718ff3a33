import Testing

@testable import ClientTool

@Suite struct CommandTableTests {
  private static func help(_ words: String...) throws -> String? {
    guard case .help(let text) = try CommandTable.request(words, environment: [:]) else { return nil }
    return text
  }

  private static func mistake(_ words: String...) -> UsageError? {
    do throws(UsageError) {
      _ = try CommandTable.request(words, environment: [:])
      return nil
    } catch {
      return error
    }
  }

  @Test func `without a command, and with --help, every command is listed`() throws {
    let overview = try #require(try Self.help())
    for command in CommandTable.commands {
      #expect(overview.contains("  \(command.syntax.name) "))
      #expect(overview.contains(command.syntax.summary))
    }
    #expect(try Self.help("--help") == overview)
    #expect(try Self.help("help") == overview)
  }

  @Test func `every command has help that names its arguments and options`() throws {
    for syntax in CommandTable.commands.map({ $0.syntax }) {
      let words = syntax.name.split(separator: " ").map(String.init)
      guard case .help(let text) = try CommandTable.request(words + ["--help"], environment: [:]) else {
        Issue.record("\(syntax.name) has no help")
        continue
      }
      #expect(text.hasPrefix(syntax.usage))
      for option in syntax.options { #expect(text.contains("--\(option.name)")) }
      for operand in syntax.operands { #expect(text.contains("  \(operand.name)")) }
    }
    #expect(try Self.help("help", "stream", "view") == Self.help("stream", "view", "--help"))
  }

  @Test func `a command line becomes its command`() throws {
    let lines: [([String], any Command.Type)] = [
      (["list"], ListCommand.self), (["describe", "Orders"], DescribeCommand.self),
      (["call", "Orders.GetOrder", "{}"], CallCommand.self), (["health", "--json"], HealthCommand.self),
      (["stream", "ls"], StreamListCommand.self), (["stream", "info", "ORDERS"], StreamInfoCommand.self),
      (["stream", "view", "ORDERS", "--from", "-5"], StreamViewCommand.self),
      (["dead", "ls"], DeadListCommand.self), (["dead", "show", "7"], DeadShowCommand.self),
      (["dead", "replay", "7", "8", "--keep"], DeadReplayCommand.self),
      (["dead", "replay", "--all"], DeadReplayCommand.self),
      (["order", "01890000-0000-7000-8000-000000000001"], OrderCommand.self),
      (["verify", "--database-url-orders", "a", "--database-url-payments", "b"], VerifyCommand.self),
      (["bench", "Orders.GetOrder", "--rate", "10"], BenchCommand.self),
      (["health", "--watch", "--duration", "1s"], HealthCommand.self), (["top", "--sort", "p99"], TopCommand.self),
      (["call", "Orders.GetOrder", "-v"], CallCommand.self), (["completion", "zsh"], CompletionCommand.self),
      (["complete", "--", "call", "-"], CompleteCommand.self),
      (["token", "keygen", "--alg", "ES256"], TokenKeygenCommand.self),
      (["token", "sign", "--sub", "a", "--scope", "b"], TokenSignCommand.self),
      (["token", "show", "a.b.c", "--json"], TokenShowCommand.self),
      (["schema", "check", "a.gozon", "b.gozon"], SchemaCheckCommand.self),
      (["schema", "diff", "--against", "0.1"], SchemaDiffCommand.self), (["schema", "docs"], SchemaDocsCommand.self),
      (["schema", "release", "0.2", "Schemas", "--replace"], SchemaReleaseCommand.self),
    ]
    for (words, type) in lines {
      guard case .run(let command) = try CommandTable.request(words, environment: [:]) else {
        Issue.record("\(words) runs nothing")
        continue
      }
      #expect(Swift.type(of: command) == type)
    }
  }

  @Test func `an unknown command is named with the one that was meant`() {
    #expect(Self.mistake("lst")?.description == "there is no command 'lst'; did you mean 'list'?")
    #expect(Self.mistake("stream")?.description == "'stream' needs one of: ls, info, view, tail")
    #expect(Self.mistake("stream", "vew")?.description == "there is no command 'stream vew'; did you mean 'view'?")
    #expect(
      Self.mistake("stream", "zzz")?.description == "there is no command 'stream zzz'; there are ls, info, view, tail")
    #expect(Self.mistake("--json", "list")?.description.contains("behind the command") == true)
  }

  @Test func `a mistake points to the help of its command`() {
    #expect(Self.mistake("describe")?.hint == "gozon describe --help")
    #expect(Self.mistake("nonsense")?.hint == "gozon --help")
    #expect(Self.mistake("call", "M", "--metadata", "novalue")?.description.contains("NAME=VALUE") == true)
    #expect(Self.mistake("call", "M", "--timeout", "soon")?.hint == "gozon call --help")
  }
}
