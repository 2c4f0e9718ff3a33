import EventLoop
@testable import Gateway
import HTTP
import RPC
import Testing

@Suite struct ContentNegotiationTests {
  @Test(arguments: [
    (nil, true), ("*/*", true), ("application/json", true), ("application/*", true), ("text/html, */*;q=0.1", true),
    ("Application/JSON ; charset=utf-8", true), ("text/html", false), ("", false), ("application/json;q=0", false),
    ("*/*, application/json;q=0", false), ("application/json;q=0.5, */*;q=0", true), ("*/*;q=0.000", false),
    ("application/*;q=0, */*", false), ("application/jsonx", false),
  ])
  func `Accept admits JSON or not`(accept: String?, isAdmitted: Bool) {
    #expect(ContentNegotiation.admitsJSON(accept) == isAdmitted)
  }

  @Test(arguments: [
    ("application/json", true), ("application/json; charset=utf-8", true), ("Application/Json;charset=\"UTF-8\"", true),
    ("application/json;charset=latin1", false), ("text/plain", false), ("", false), ("application/json;", false),
    ("application/problem+json", false),
  ])
  func `a Content-Type is JSON in UTF-8 or not`(type: String, isJSON: Bool) {
    #expect(ContentNegotiation.isJSON(type) == isJSON)
  }
}

@Suite struct EntityTagTests {
  @Test func `equal bodies have equal tags, others do not`() {
    #expect(EntityTag.of([]) == "\"\(String(0xCBF2_9CE4_8422_2325 as UInt64, radix: 36))-0\"")
    #expect(EntityTag.of([1, 2]) == EntityTag.of([1, 2]) && EntityTag.of([1, 2]) != EntityTag.of([2, 1]))
  }

  @Test(arguments: [
    ("\"a\"", true), ("W/\"a\"", true), ("\"b\", \"a\"", true), ("*", true), ("\"b\"", false), ("a", false),
    ("", false),
  ])
  func `If-None-Match compares weakly`(header: String, isMatch: Bool) {
    #expect(EntityTag.matches(header, "\"a\"") == isMatch)
  }
}

@Suite struct RequestContextTests {
  private func context(_ fields: (String, String)..., takesKey: Bool = true) throws -> RequestContext {
    var random = RandomNumbers()
    return try RequestContext(
      HTTPFields(fields), requestID: "r", takesIdempotencyKey: takesKey, random: &random)
  }

  @Test(arguments: [("2", 2_000), ("0.25", 250), ("60", 60_000), ("3600", 60_000), ("0.001", 1)])
  func `a caller's time is kept to, up to the bound`(text: String, milliseconds: Int) throws {
    #expect(try context(("Request-Timeout", text)).timeout == .milliseconds(milliseconds))
  }

  @Test(arguments: ["0", "-1", "1e3", "abc", "", ".5", "1.", "1.2.3", "inf", "nan", "99999999999", "0x1", "٣"])
  func `a time that is none is refused`(text: String) {
    #expect(throws: Problem.self) { try context(("Request-Timeout", text)) }
  }

  @Test func `the default time is ten seconds`() throws {
    #expect(try context().timeout == .seconds(10))
  }

  @Test func `an idempotency key travels as metadata where the route takes one`() throws {
    let field = ("Idempotency-Key", "abc-\"1\"")
    #expect(try context(field).callOptions().metadata["idempotency-key"] == "abc-\"1\"")
    #expect(try context(field, takesKey: false).callOptions().metadata["idempotency-key"] == nil)
    for bad in ["", "a b", "é", String(repeating: "a", count: 256)] {
      #expect(throws: Problem.self, "\(bad)") { try context(("Idempotency-Key", bad)) }
    }
    #expect(throws: Problem.self) { try context(("Idempotency-Key", "a"), ("Idempotency-Key", "a")) }
  }

  @Test func `a sane request id is kept, others are replaced`() {
    var random = RandomNumbers()
    #expect(RequestContext.requestID(HTTPFields([("X-Request-Id", "a.B_9-")]), random: &random) == "a.B_9-")
    for bad in ["", "a b", "<script>", String(repeating: "a", count: 129)] {
      let made = RequestContext.requestID(HTTPFields([("X-Request-Id", bad)]), random: &random)
      #expect(made.utf8.count == 36)
    }
  }

  @Test func `a valid trace context is kept, another is replaced`() throws {
    let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    #expect(try context(("traceparent", valid)).traceParent == valid)
    let made = try context(("traceparent", "00-0-0-00")).traceParent
    #expect(made.utf8.count == 55)
    #expect(made.hasPrefix("00-") && TraceParent.isValid(made))
  }

  @Test(arguments: [
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true),
    ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", true),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", false),
    ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
    ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
    ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", false), ("", false),
  ])
  func `trace contexts are checked as W3C has it`(text: String, isValid: Bool) {
    #expect(TraceParent.isValid(text) == isValid)
  }
}
