internal import EventLoop
internal import Glibc
internal import RPC
internal import Service

/// `gozon`: the client tool.
package enum ClientTool {
  /// Runs the process's command line and exits.
  package static func main() -> Never {
    signal(SIGPIPE, SIG_IGN)
    let words = Array(CommandLine.arguments.dropFirst())
    exit(run(words, environment: Program.environment, .standard, .signals).rawValue)
  }

  /// Runs one command line on an event loop of this thread.
  static func run(
    _ words: [String], environment: [String: String], _ terminal: Terminal, _ interrupts: Interrupts
  ) -> ExitStatus {
    do throws(UsageError) {
      switch try CommandTable.request(words, environment: environment) {
      case .help(let text):
        terminal.print(text)
        return .ok
      case .run(let command): return run(command, terminal, interrupts)
      }
    } catch {
      terminal.note("\(error)\nsee \(error.hint)")
      return .usage
    }
  }

  private static func run(_ command: any Command, _ terminal: Terminal, _ interrupts: Interrupts) -> ExitStatus {
    do {
      let loop = try EventLoop()
      return try loop.run {
        try await interrupts.cancelling(on: loop) { try await command.run(on: loop, terminal) }
      }
    } catch {
      let error = RPCError(thrown: error)
      terminal.note(error.report)
      return ExitStatus(error.code)
    }
  }
}
