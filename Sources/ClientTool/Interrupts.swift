internal import EventLoop
internal import Glibc

/// What makes the tool stop before it is done.
struct Interrupts: Sendable {
  /// Stops the watching.
  typealias Stop = () -> Void

  private let watch: @Sendable (EventLoop, @escaping @Sendable () -> Void) throws -> Stop

  /// Interrupts that `watch` tells of: it calls the closure on the loop, until the one that it returns is called.
  init(_ watch: @escaping @Sendable (EventLoop, @escaping @Sendable () -> Void) throws -> Stop) { self.watch = watch }

  /// Ctrl-C, and being told to end.
  static let signals = Interrupts { loop, interrupted in
    let watchers = try [SIGINT, SIGTERM].map { try SignalWatcher(loop: loop, signal: $0, handler: interrupted) }
    return { for watcher in watchers { watcher.close() } }
  }

  /// Runs `body`, and cancels it at the first interrupt. A second one is no longer watched for: the system ends the process.
  ///
  /// - Throws: what `body` throws; `CancellationError` when it was cancelled and threw.
  func cancelling<Result: Sendable>(
    on loop: EventLoop, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    let task = Task(executorPreference: loop.taskExecutor) { try await body() }
    let watching = Watching()
    watching.stop = try watch(loop) {
      watching.end()
      task.cancel()
    }
    defer { watching.end() }
    do {
      return try await task.value
    } catch {
      if task.isCancelled { throw CancellationError() }
      throw error
    }
  }

  /// Whether somebody still watches.
  // Confined to the event loop.
  private final class Watching: @unchecked Sendable {
    var stop: Stop?

    func end() {
      stop?()
      stop = nil
    }
  }
}
