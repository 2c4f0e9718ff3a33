package import EventLoop
internal import Glibc

/// Runs the parts of a process, and ends them in order when the process is told to end.
package struct Lifecycle: Sendable {
  /// A part ended that should not have.
  package struct PartFailed: Error, CustomStringConvertible {
    /// What happened.
    package let description: String
  }

  /// How long parts that were cut off may take to notice.
  private static let cutOffGrace: Duration = .seconds(2)

  private let loop: EventLoop
  private let log: Log
  private let shutdownTimeout: Duration

  /// A lifecycle on `loop`, whose parts may take `shutdownTimeout` together to end.
  package init(loop: EventLoop, log: Log, shutdownTimeout: Duration = .seconds(20)) {
    self.loop = loop
    self.log = log
    self.shutdownTimeout = shutdownTimeout
  }

  /// Runs `parts` until SIGTERM or SIGINT, then ends them one after the other, the last first, each when the one before
  /// has ended. So parts stand in the order of their dependence: the database before what uses it.
  ///
  /// - Throws: ``PartFailed`` when a part ends by itself; the others are ended then too.
  package func run(_ parts: [Part]) async throws {
    let state = LifecycleState(loop: loop, partCount: parts.count)
    let signals = try [SIGTERM, SIGINT].map { signal in
      try SignalWatcher(loop: loop, signal: signal) {
        log.info("shutting down", [.signal: signal == SIGTERM ? "SIGTERM" : "SIGINT"])
        state.requestStop()
      }
    }
    defer { signals.forEach { $0.close() } }
    // No task group: it would wait for a part that never ends.
    let tasks = parts.enumerated().map { index, part in
      loop.startTask { await run(part, index, state) }
    }
    await state.untilStopRequested()
    let deadline = loop.schedule(after: shutdownTimeout) {
      let left = parts.indices.filter { !state.hasEnded[$0] }.map { parts[$0].name }
      log.warning("the shutdown took too long; what is left is cut off", [.part: left.joined(separator: ", ")])
      state.cutOff()
    }
    for (index, part) in parts.enumerated().reversed() {
      part.beginGracefulShutdown()
      await state.untilEnded(index)
    }
    deadline.cancel()
    if state.isCutOff {
      for task in tasks { task.cancel() }
      try? await loop.sleep(for: Self.cutOffGrace)
    }
    if let failure = state.failure { throw PartFailed(description: failure) }
  }

  private func run(_ part: Part, _ index: Int, _ state: LifecycleState) async {
    var failure: String?
    do {
      try await part.run()
      if !state.isStopping { failure = "\(part.name) ended by itself" }
    } catch {
      if !state.isStopping {
        failure = "\(part.name) failed: \(String(reflecting: error))"
      } else if !(error is CancellationError) {
        log.warning("a part failed while it ended", [.part: part.name, .error: "\(error)"])
      }
    }
    if let failure { log.error(failure, [.part: part.name]) }
    state.ended(index, failure: failure)
  }
}

/// Which parts have ended, and who waits for that.
// Confined to the event loop.
private final class LifecycleState: @unchecked Sendable {
  private(set) var isStopping = false
  private(set) var failure: String?
  private(set) var hasEnded: [Bool]
  private(set) var isCutOff = false
  private var stopWaiter: UnsafeContinuation<Void, Never>?
  private var endWaiter: (index: Int, continuation: UnsafeContinuation<Void, Never>)?
  private let loop: EventLoop

  init(loop: EventLoop, partCount: Int) {
    self.loop = loop
    hasEnded = Array(repeating: false, count: partCount)
  }

  func requestStop() {
    isStopping = true
    stopWaiter?.resume()
    stopWaiter = nil
  }

  func ended(_ index: Int, failure: String?) {
    hasEnded[index] = true
    if let failure, self.failure == nil { self.failure = failure }
    if endWaiter?.index == index { resumeEndWaiter() }
    if !isStopping { requestStop() }
  }

  func cutOff() {
    isCutOff = true
    resumeEndWaiter()
  }

  func untilStopRequested() async {
    await withUnsafeContinuation { if isStopping { $0.resume() } else { stopWaiter = $0 } }
  }

  func untilEnded(_ index: Int) async {
    await withUnsafeContinuation {
      if hasEnded[index] || isCutOff { $0.resume() } else { endWaiter = (index, $0) }
    }
  }

  private func resumeEndWaiter() {
    endWaiter?.continuation.resume()
    endWaiter = nil
  }
}
