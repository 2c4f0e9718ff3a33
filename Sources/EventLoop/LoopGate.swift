/// Lets so many tasks through at once, and the others in the order in which they came.
// Confined to its event loop; every entry checks it.
package final class LoopGate: @unchecked Sendable {
  /// One who waits.
  private final class Turn {
    let signal: LoopSignal
    var hasCome = false
    var isForgone = false

    init(loop: EventLoop) { signal = LoopSignal(loop: loop) }
  }

  private let loop: EventLoop
  private let countMax: Int
  private var count = 0
  private var waiting = FIFO<Turn>()

  /// A gate for `countMax` at once.
  package init(loop: EventLoop, countMax: Int) {
    self.loop = loop
    self.countMax = countMax
  }

  /// Runs `body` when its turn has come.
  ///
  /// - Throws: `CancellationError` when the task is cancelled before; what `body` throws.
  package func within<Result>(_ body: () async throws -> Result) async throws -> Result {
    loop.preconditionCurrent()
    try await enter()
    defer { leave() }
    return try await body()
  }

  private func enter() async throws {
    if count < countMax {
      count += 1
      return
    }
    let turn = Turn(loop: loop)
    waiting.append(turn)
    await turn.signal.wait()
    if turn.hasCome { return }
    turn.isForgone = true
    throw CancellationError()
  }

  private func leave() {
    while let next = waiting.popFirst() {
      if next.isForgone { continue }
      next.hasCome = true
      return next.signal.signal()
    }
    count -= 1
  }
}
