internal import JSON
internal import Tracing
internal import Wire

/// Spans in the JSON of OTLP (OpenTelemetry Protocol 1.x, "JSON Protobuf Encoding"): ids in hexadecimal digits, 64-bit
/// numbers as text.
enum SpanEncoding {
  /// The body of a request to `/v1/traces`.
  ///
  /// - Parameter resource: what the spans are of, such as `service.name`.
  static func body(_ spans: [TraceSpan], resource: [(name: String, value: String)]) -> [UInt8] {
    let attributes = resource.map { attribute($0.name, .text($0.value)) }
    let document: JSONValue = [
      "resourceSpans": [
        [
          "resource": ["attributes": .array(attributes)],
          "scopeSpans": [["scope": ["name": "gozon"], "spans": .array(spans.map(json))]],
        ]
      ]
    ]
    return document.encoded
  }

  private static func json(_ span: TraceSpan) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("traceId", .string(span.context.traceID)), .init("spanId", .string(digits(span.context.spanID))),
      .init("name", .string(span.name)), .init("kind", .integer(Int64(span.kind.rawValue))),
      .init("startTimeUnixNano", nanoseconds(span.start)), .init("endTimeUnixNano", nanoseconds(span.end)),
      .init("attributes", .array(span.attributes.map { attribute($0.key.rawValue, $0.value) })),
    ]
    if span.parentID != 0 { members.append(.init("parentSpanId", .string(digits(span.parentID)))) }
    if span.isError { members.append(.init("status", ["code": 2])) }
    return .object(members)
  }

  private static func attribute(_ name: String, _ value: TraceSpan.Value) -> JSONValue {
    switch value {
    case .text(let text): ["key": .string(name), "value": ["stringValue": .string(text)]]
    case .integer(let number): ["key": .string(name), "value": ["intValue": .string("\(number)")]]
    }
  }

  private static func digits(_ id: UInt64) -> String {
    var text: [UInt8] = []
    id.appendHexadecimal(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  private static func nanoseconds(_ time: Timestamp) -> JSONValue { .string("\(max(0, time.microseconds))000") }
}
