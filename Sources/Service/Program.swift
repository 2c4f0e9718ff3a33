package import EventLoop
internal import Glibc

/// A process from its first line to its exit status.
package enum Program {
  /// The exit status of a wrong call (BSD `sysexits.h`, EX_USAGE).
  private static let usageStatus: Int32 = 64

  /// Reads the settings; prints help or mistakes and exits when there is nothing to run.
  package static func configuration(usage: String, settings: [Setting]) -> Configuration {
    do throws(Configuration.Refusal) {
      return try Configuration(
        usage: usage, settings: settings, arguments: Array(CommandLine.arguments.dropFirst()),
        environment: environment, check: CommonSettings.problems)
    } catch {
      switch error {
      case .help(let text):
        print(text)
        exit(0)
      case .mistakes(let mistakes):
        for mistake in mistakes { complain(mistake) }
        complain("nothing was started; --help lists all settings")
        exit(usageStatus)
      }
    }
  }

  /// Runs `body` on an event loop of this thread, and exits: 0 when it returned, 1 when it threw.
  package static func run(_ log: Log, _ body: @escaping @Sendable (EventLoop) async throws -> Void) -> Never {
    signal(SIGPIPE, SIG_IGN)
    do {
      let loop = try EventLoop()
      try loop.run { try await body(loop) }
      exit(0)
    } catch {
      log.error("the process ends", [.error: String(reflecting: error)])
      exit(1)
    }
  }

  /// The variables of the environment.
  package static var environment: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let pointer = entry.pointee {
      let parts = String(cString: pointer).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return variables
  }

  private static func complain(_ text: String) {
    var line = "\(CommandLine.arguments[0]): \(text)\n"
    line.withUTF8 { _ = write(2, $0.baseAddress, $0.count) }
  }
}
