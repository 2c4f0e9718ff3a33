internal import EventLoop
internal import RPC

/// Prints answers that come in any order in the order of their requests.
// Confined to its event loop.
final class AnswerStream: @unchecked Sendable {
  private let terminal: Terminal
  private let printed: LoopSignal
  private var early: [Int: Result<String, RPCError>] = [:]
  private var beganCount = 0
  private var printedCount = 0
  /// That of the first error, otherwise OK; nil when there was no request.
  private(set) var status: ExitStatus?

  /// A stream without requests.
  init(loop: EventLoop, terminal: Terminal) {
    self.terminal = terminal
    printed = LoopSignal(loop: loop)
  }

  /// Requests whose answer is not printed.
  var waiting: Int { beganCount - printedCount }

  /// A request is made; returns its place.
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
      case .success(let response): terminal.print(response)
      case .failure(let error):
        terminal.print("\(error.json)")
        if status == .ok { status = ExitStatus(error.code) }
      }
    }
    printed.signal()
  }

  /// Returns when something was printed since the last time.
  func untilPrinted() async { await printed.wait() }
}
