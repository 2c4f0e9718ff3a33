internal import EventLoop

/// A line at the foot of a screen that tells what is being done and since when, and goes when it is done; nothing where
/// there is no screen.
// Confined to its event loop.
final class ProgressLine {
  private static let interval: Duration = .milliseconds(100)

  private let loop: EventLoop
  private let terminal: Terminal?
  private var timer: LoopTimer?

  /// - Parameter terminal: nil for one that is never shown.
  init(loop: EventLoop, terminal: Terminal?) {
    self.loop = loop
    self.terminal = terminal?.screenSize == nil ? nil : terminal
  }

  /// Something begins.
  func begin(_ text: String) {
    guard terminal != nil else { return }
    end()
    draw(text, since: loop.now)
  }

  /// It has ended.
  func end() {
    guard let timer else { return }
    timer.cancel()
    self.timer = nil
    terminal?.control("\r\u{1B}[K")
  }

  private func draw(_ text: String, since begin: LoopInstant) {
    guard let terminal, let size = terminal.screenSize else { return }
    let line = "\(text) … \(fixedPoint((loop.now - begin) / .seconds(1), 1)) s"
    terminal.control("\r\(Terminal.printable(String(line.prefix(size.columns - 1))))\u{1B}[K")
    timer = loop.schedule(after: Self.interval) { [weak self] in self?.draw(text, since: begin) }
  }
}
