internal import EventLoop
internal import RPC

/// Prints answers that come in any order in the order of their requests.
// Confined to its event loop.
final class AnswerStream: @unchecked Sendable {
  private let output: LineOutput
  private let printed: LoopSignal
  private var early: [Int: Result<String, RPCError>] = [:]
  private var beganCount = 0
  private var printedCount = 0
  /// That of the first error, otherwise OK; nil when there was no request.
  private(set) var status: ExitStatus?

  /// A stream without requests.
  init(loop: EventLoop, output: LineOutput) {
    self.output = output
    printed = LoopSignal(loop: loop)
  }

  /// Requests whose answer is not printed.
  var waiting: Int { beganCount - printedCount }

  /// A request is made; returns its place, from 0.
  func begin() -> Int {
    if status == nil { status = .ok }
    defer { beganCount += 1 }
    return beganCount
  }

  /// The request of that place is answered.
  func finish(_ place: Int, _ answer: Result<String, RPCError>) {
    early[place] = answer
    while let next = early.removeValue(forKey: printedCount) {
      printedCount += 1
      switch next {
      case .success(let response): output.append(response)
      case .failure(let error):
        output.append("\(error.json)")
        if status == .ok { status = ExitStatus(error.code) }
      }
    }
    printed.signal()
  }

  /// Returns when fewer than `count` requests wait, and whoever reads the answers keeps up.
  ///
  /// - Throws: `CancellationError` when the task is cancelled.
  func untilFewerWait(than count: Int) async throws {
    while waiting >= count {
      try Task.checkCancellation()
      await printed.wait()
    }
    await output.untilRoom()
  }
}
