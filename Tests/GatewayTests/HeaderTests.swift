import EventLoop
@testable import Gateway
import HTTP
import RPC
import TestSupport
import Testing
import Tracing

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
    #expect(EntityTag.of([]) == "\"cbf29ce4842223250000000000000000\"")
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
    try RequestContext(
      HTTPFields(fields), requestID: "r", takesIdempotencyKey: takesKey,
      trace: TraceParent(traceHigh: 1, traceLow: 2, spanID: 3, isSampled: false))
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

  @Test func `a valid trace context is kept, another is replaced`() async throws {
    try await onLoop { loop in
      let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
      func trace(_ header: String, _ tracer: Tracer? = nil) -> RequestTrace {
        RequestTrace(HTTPFields([("traceparent", header)]), loop: loop, tracer: tracer)
      }
      #expect(trace(valid).context.text == valid && trace(valid).span == nil)
      #expect(!trace("00-0-0-00").context.isSampled, "nobody records it")
      let tracer = Tracer(loop: loop, ratio: 1)
      let child = trace(valid, tracer)
      #expect(
        child.context.traceID == "4bf92f3577b34da6a3ce929d0e0e4736" && child.span?.parentID == 0x00f0_67aa_0ba9_02b7)
      #expect(child.context.spanID == child.span?.context.spanID && child.context.spanID != child.span?.parentID)
      let new = trace("00-0-0-00", tracer)
      #expect(new.context.isSampled && new.span?.parentID == 0)
      #expect(trace("00-0-0-00", Tracer(loop: loop, ratio: 0)).span == nil)
    }
  }
}
