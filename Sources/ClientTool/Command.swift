internal import EventLoop

/// One command of the tool.
protocol Command: Sendable {
  /// What it is called and takes.
  static var syntax: CommandSyntax { get }
  /// Reads its arguments; nothing has been connected yet.
  init(_ arguments: Arguments) throws(UsageError)
  /// Does it. What it throws is reported, and becomes the exit status.
  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus
}
