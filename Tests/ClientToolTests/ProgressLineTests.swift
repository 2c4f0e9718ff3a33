import EventLoop
import TestSupport
import Testing

@testable import ClientTool

@Suite struct ProgressLineTests {
  private static func shown(_ columns: Int?) async throws -> String {
    let captured = Locked("")
    let terminal = Terminal(
      output: { text in captured.withLock { $0 += text } }, errors: { _ in },
      size: { columns.map { Terminal.ScreenSize(rows: 5, columns: $0) } })
    try await onLoop { loop in
      let progress = ProgressLine(loop: loop, terminal: terminal)
      progress.begin("1 of 2: entries")
      try await loop.sleep(for: .milliseconds(150))
      progress.end()
      progress.end()
    }
    return captured.withLock { $0 }
  }

  @Test func `a screen is told what is done and for how long, and then nothing any more`() async throws {
    let shown = try await Self.shown(80)
    #expect(shown.hasPrefix("\r1 of 2: entries … 0.0 s\u{1B}[K\r1 of 2: entries … 0.1 s\u{1B}[K"))
    #expect(shown.hasSuffix(" s\u{1B}[K\r\u{1B}[K"))
  }

  @Test func `a line is no longer than the screen, and there is none without a screen`() async throws {
    #expect(try await Self.shown(6).hasPrefix("\r1 of \u{1B}[K"))
    #expect(try await Self.shown(nil).isEmpty)
  }
}
