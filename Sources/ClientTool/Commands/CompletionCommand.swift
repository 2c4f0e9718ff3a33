internal import EventLoop

/// `gozon completion`: the script that makes a shell complete the words of `gozon`.
struct CompletionCommand: Command {
  static let syntax = CommandSyntax(
    name: "completion", summary: "Prints the script that makes a shell complete commands, options and names.",
    details: """
      Methods and messages come from the servers that answer at that moment.

      For good:

      \(CompletionScript.allCases.map { "  \($0.installation)" }.joined(separator: "\n"))

      For this shell alone: source <(gozon completion bash)
      """,
    operands: [
      .init(name: "SHELL", completion: .words(CompletionScript.allCases.map(\.rawValue)), help: "bash, zsh or fish.")
    ])

  private let script: CompletionScript

  init(_ arguments: Arguments) throws(UsageError) {
    let shell = arguments.operand(0) ?? ""
    guard let script = CompletionScript(rawValue: shell) else {
      throw UsageError("SHELL must be bash, zsh or fish, not '\(shell)'")
    }
    self.script = script
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    terminal.print(script.text)
    return .ok
  }
}
