import EventLoop
import RPC
import TestSupport
import Testing

@testable import ClientTool

@Suite struct AnswerStreamTests {
  @Test func `answers come out in the order of their requests, and the first error is the status`() async throws {
    let captured = Locked("")
    let terminal = Terminal(output: { text in captured.withLock { $0 += text } }, errors: { _ in })
    let statuses = try await onLoop { loop in
      let output = LineOutput(loop: loop, terminal: terminal)
      let answers = AnswerStream(loop: loop, output: output)
      var statuses = [answers.status]
      let places = (0..<3).map { _ in answers.begin() }
      answers.finish(places[2], .failure(RPCError(.internal, "c")))
      answers.finish(places[1], .failure(RPCError(.notFound, "b")))
      #expect(answers.waiting == 3)
      answers.finish(places[0], .success("a"))
      try await answers.untilFewerWait(than: 1)
      #expect(answers.waiting == 0)
      await output.untilEmpty()
      statuses.append(answers.status)
      return statuses
    }
    #expect(statuses == [nil, ExitStatus(.notFound)])
    let lines = captured.withLock { $0.split(separator: "\n") }
    #expect(lines.count == 3 && lines[0] == "a" && lines[1].contains("NOT_FOUND") && lines[2].contains("INTERNAL"))
  }
}
