import EventLoop
import JSON
import TestSupport
import Testing
import Tracing

@testable import OTLP

@Suite struct SpanEncodingTests {
  @Test func `a span is as OTLP has it in JSON`() async throws {
    let (body, context) = try await onLoop { loop in
      let tracer = Tracer(loop: loop, ratio: 1)
      let parent = TraceParent(traceHigh: 0xA, traceLow: 0xB, spanID: 0xC, isSampled: true)
      let open = try #require(tracer.begin(under: parent))
      tracer.end(open, "GET \"x\"", .client, isError: true, [.init(.httpStatus, 500), .init(.errorType, "500")])
      return (SpanEncoding.body(tracer.take(), resource: [("service.name", "test")]), open.context)
    }
    let resource = try #require(try JSONValue(parsing: body.span)["resourceSpans"]?.array?.first)
    #expect(
      resource["resource"]?["attributes"] == [["key": "service.name", "value": ["stringValue": "test"]]])
    let span = try #require(resource["scopeSpans"]?.array?[0]["spans"]?.array?.first)
    #expect(span["traceId"] == "000000000000000a000000000000000b" && span["parentSpanId"] == "000000000000000c")
    let id = String(context.spanID, radix: 16)
    #expect(span["spanId"]?.string == String(repeating: "0", count: 16 - id.count) + id)
    #expect(span["name"] == "GET \"x\"" && span["kind"] == 3 && span["status"] == ["code": 2])
    #expect(
      span["attributes"] == [
        ["key": "http.response.status_code", "value": ["intValue": "500"]],
        ["key": "error.type", "value": ["stringValue": "500"]],
      ])
    let (start, end) = (span["startTimeUnixNano"]?.string, span["endTimeUnixNano"]?.string)
    #expect(start?.count == 19 && end?.count == 19 && (start ?? "") <= (end ?? ""))
  }

  @Test(
    arguments: [
      ("a=b", ["a: b"]), ("Authorization=Basic%20x==, b=c d", ["Authorization: Basic%20x==", "b: c d"]),
      ("a", nil), ("a b=c", nil), ("a=b\r\nc: d", nil), ("", []),
    ] as [(String, [String]?)])
  func `fields for the collector are names and values`(text: String, fields: [String]?) {
    #expect(TracingSettings.headers(text) == fields)
  }
}
