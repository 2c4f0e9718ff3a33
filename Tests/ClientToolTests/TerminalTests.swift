import EventLoop
import Testing

@testable import ClientTool

@Suite struct TerminalTests {
  @Test func `what would steer a terminal is replaced`() {
    let captured = Locked("")
    let terminal = Terminal(output: { text in captured.withLock { $0 += text } }, errors: { _ in })
    terminal.print("a\tb\u{1B}[2Jc\u{7F}\u{9B}d\nü")
    #expect(captured.withLock { $0 } == "a\tb\u{FFFD}[2Jc\u{FFFD}\u{FFFD}d\nü\n")
  }
}
