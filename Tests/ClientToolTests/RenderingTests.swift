import EventLoop
import JetStream
import RPC
import TestSupport
import Testing

@testable import ClientTool

@Suite struct TextTableTests {
  @Test func `columns are as wide as their widest cell, and empty ones are left out`() {
    var table = TextTable([("NAME", .left), ("EMPTY", .left), ("COUNT", .right), ("NOTE", .left)])
    table.append("a", "", "1", "first")
    table.append("longer", "", "12345", "")
    #expect(
      table.text == """
        NAME    COUNT  NOTE
        a           1  first
        longer  12345
        """)
  }

  @Test func `a table without rows has its headings, and a cell is one line`() {
    #expect(TextTable("A", "B").text == "A  B")
    var table = TextTable("A")
    table.append("x\ny\r\nz")
    #expect(table.text == "A\nx y z")
  }
}

@Suite struct TerminalTests {
  @Test func `what would steer a terminal is replaced`() {
    let captured = Locked("")
    let terminal = Terminal(output: { text in captured.withLock { $0 += text } }, errors: { _ in })
    terminal.print("a\tb\u{1B}[2Jc\u{7F}\u{9B}d\nü")
    #expect(captured.withLock { $0 } == "a\tb\u{FFFD}[2Jc\u{FFFD}\u{FFFD}d\nü\n")
  }
}

@Suite struct JSONValueIndentedTests {
  @Test func `members and elements have lines of their own`() throws {
    let value: JSONValue = ["a": 1, "b": ["x", ["c": true]], "d": [:], "e": []]
    #expect(
      value.indented == """
        {
          "a": 1,
          "b": [
            "x",
            {
              "c": true
            }
          ],
          "d": {},
          "e": []
        }
        """)
  }
}

@Suite struct ExitStatusTests {
  @Test func `a call's status is 64 and its code, and OK is 0`() {
    #expect(ExitStatus(.ok) == .ok && ExitStatus.ok.rawValue == 0)
    #expect(ExitStatus(.notFound).rawValue == 69)
    #expect(ExitStatus(.unavailable).rawValue == 78)
    #expect(ExitStatus(.unauthenticated).rawValue == 80)
    #expect(ExitStatus.notWell.rawValue == 1 && ExitStatus.usage.rawValue == 2)
  }

  @Test func `a report has every detail once`() {
    let one = RPCError(
      .invalidArgument, "/amount: too small", violations: [Violation(pointer: "/amount", detail: "too small")])
    #expect(one.report == "INVALID_ARGUMENT: /amount: too small")
    let two = RPCError(
      .invalidArgument, "/a: x", reason: "WRONG",
      violations: [Violation(pointer: "/a", detail: "x"), Violation(pointer: "", detail: "y")],
      retryAfter: .seconds(2))
    #expect(
      two.report == """
        INVALID_ARGUMENT: /a: x
          /a: x
          the request: y
          reason: WRONG
          try again in 2.0 seconds
        """)
    #expect(
      two.json.description
        == #"{"error":{"code":"INVALID_ARGUMENT","message":"/a: x","reason":"WRONG","violations":[{"pointer":"/a","#
        + #""detail":"x"},{"pointer":"","detail":"y"}],"retryAfterSeconds":2.0}}"#)
  }
}

@Suite struct AnswerStreamTests {
  @Test func `answers come out in the order of their requests, and the first error is the status`() async throws {
    let captured = Locked("")
    let terminal = Terminal(output: { text in captured.withLock { $0 += text } }, errors: { _ in })
    let statuses = try await onLoop { loop in
      let answers = AnswerStream(loop: loop, terminal: terminal)
      var statuses = [answers.status]
      let places = (0..<3).map { _ in answers.begin() }
      answers.finish(places[2], .failure(RPCError(.internal, "c")))
      answers.finish(places[1], .failure(RPCError(.notFound, "b")))
      #expect(answers.waiting == 3)
      answers.finish(places[0], .success("a"))
      await answers.untilPrinted()
      #expect(answers.waiting == 0)
      statuses.append(answers.status)
      return statuses
    }
    #expect(statuses == [nil, ExitStatus(.notFound)])
    let lines = captured.withLock { $0.split(separator: "\n") }
    #expect(lines.count == 3 && lines[0] == "a" && lines[1].contains("NOT_FOUND") && lines[2].contains("INTERNAL"))
  }
}

@Suite struct BenchReportTests {
  private static var result: LoadResult {
    var result = LoadResult()
    for _ in 0..<10 { result.latencies.record(nanoseconds: 1_500_000) }
    result.failures = [.unavailable: 2]
    result.neverBegun = 3
    result.elapsed = .seconds(2)
    return result
  }

  private static let plan = LoadPlan(
    pace: .open(callsPerSecond: 5, inFlightMax: 9), duration: .seconds(2), connections: 1, timeout: .seconds(1))

  @Test func `the text tells throughput, failures and quantiles`() {
    let text = BenchReport(method: "A.B", servers: ["h:1"], plan: Self.plan, result: Self.result).text
    #expect(text.hasPrefix("A.B at h:1, open loop, 5/s, 1 connection(s)\n  calls    10 in 2.00 s: 5/s\n"))
    #expect(text.contains("failed   2 UNAVAILABLE") && text.contains("3 calls were due and never begun"))
    #expect(text.contains("p99.9 1.500 ms") && text.contains("p50 1.500 ms") && text.hasSuffix("max 1.500 ms"))
  }

  @Test func `the JSON has the same in microseconds`() throws {
    let json = BenchReport(method: "A.B", servers: ["h:1"], plan: Self.plan, result: Self.result).json
    #expect(json["calls"]?.integer == 10 && json["failures"]?["UNAVAILABLE"]?.integer == 2)
    #expect(json["latencyMicroseconds"]?["p99"] == .number(1_500))
  }
}
