import JSON
import JetStream
import RPC
import Testing

@testable import ClientTool

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
