internal import EventLoop

/// Lines on their way to the terminal, written by a thread: whoever reads them may pause, and must not keep the loop from
/// answering the server's pings meanwhile.
// Confined to its event loop; a thread gets one text at a time and hands over nothing but that it is done.
final class LineOutput: @unchecked Sendable {
  /// Bytes that wait before those who print more have to wait too.
  private static let bytesMax = 256 << 10

  private let loop: EventLoop
  private let terminal: Terminal
  private var pending = ""
  private var isScheduled = false
  private var isWriting = false
  private var waiters: [UnsafeContinuation<Void, Never>] = []

  /// Nothing is printed yet.
  init(loop: EventLoop, terminal: Terminal) {
    self.loop = loop
    self.terminal = terminal
  }

  /// Prints a line soon. Whoever prints many awaits ``untilRoom()`` between them.
  func append(_ line: String) {
    if !pending.isEmpty { pending += "\n" }
    pending += line
    if isScheduled || isWriting { return }
    isScheduled = true
    loop.atEndOfTurn {
      self.isScheduled = false
      self.writePending()
    }
  }

  /// Returns when little waits to be printed.
  func untilRoom() async {
    while pending.utf8.count > Self.bytesMax { await untilWritten() }
  }

  /// Returns when everything is printed.
  func untilEmpty() async {
    while !pending.isEmpty || isWriting { await untilWritten() }
  }

  private func untilWritten() async {
    await withUnsafeContinuation { waiters.append($0) }
  }

  private func writePending() {
    guard !pending.isEmpty else { return }
    let text = pending
    pending = ""
    isWriting = true
    let isPrinting = Detached.thread {
      self.terminal.print(text)
      self.loop.execute { self.written() }
    }
    precondition(isPrinting, "no thread can be made to print the output")
  }

  private func written() {
    isWriting = false
    writePending()
    let waiters = waiters
    self.waiters = []
    for waiter in waiters { waiter.resume() }
  }
}
