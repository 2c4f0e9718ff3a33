/// The whole screen of a terminal, drawn over and over, in the sequences that every terminal of today knows (ECMA-48, and
/// DEC's private modes 25 and 1049).
struct Screen {
  private let terminal: Terminal

  /// Runs `body` with a screen of its own, and gives the terminal back as it was.
  static func with(_ terminal: Terminal, _ body: (Screen) async throws -> Void) async rethrows {
    terminal.control("\u{1B}[?1049h\u{1B}[?25l\u{1B}[H")
    defer { terminal.control("\u{1B}[?25h\u{1B}[?1049l") }
    try await body(Screen(terminal: terminal))
  }

  /// Draws lines from the top, as many and as much of each as there is room for. The first line, and each behind an empty
  /// one, is a heading.
  func draw(_ lines: [String]) {
    guard let size = terminal.screenSize else { return }
    var text = "\u{1B}[H"
    for (index, line) in lines.prefix(max(1, size.rows)).enumerated() {
      if index > 0 { text += "\r\n" }
      let shown = Terminal.printable(String(line.prefix(size.columns)))
      text += index == 0 || lines[index - 1].isEmpty ? "\u{1B}[1m\(shown)\u{1B}[0m\u{1B}[K" : "\(shown)\u{1B}[K"
    }
    terminal.control(text + "\u{1B}[J")
  }
}
