/// A long-lived part of a process: it runs until it is told to end.
package struct Part: Sendable {
  /// What it is called in the log.
  package let name: String
  /// Runs until the graceful end has come, or the task is cancelled.
  let run: @Sendable () async throws -> Void
  /// Starts the graceful end; called on the loop.
  let beginGracefulShutdown: @Sendable () -> Void

  /// A part that `run` keeps going and `beginGracefulShutdown` ends.
  package init(
    _ name: String, run: @escaping @Sendable () async throws -> Void,
    beginGracefulShutdown: @escaping @Sendable () -> Void
  ) {
    self.name = name
    self.run = run
    self.beginGracefulShutdown = beginGracefulShutdown
  }
}
