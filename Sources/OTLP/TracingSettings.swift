package import EventLoop
package import Service
package import Tracing

/// The settings of tracing, and what they make.
package enum TracingSettings {
  /// The variables of OpenTelemetry that count where ours are not set.
  private static let (standardEndpoint, standardHeaders) = (
    "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"
  )

  /// What every service has.
  package static let all = [
    Setting(
      "otlp-endpoint", .httpURL, default: "",
      "Send traces by OTLP/HTTP to this collector, such as http://127.0.0.1:4318; \(standardEndpoint) counts as well."),
    Setting(
      "otlp-headers", .secret(3...8_192), default: "",
      "Fields of each request to the collector, as name=value,name=value; \(standardHeaders) counts as well."),
    Setting(
      "trace-sample-ratio", .ratio, default: "1",
      "The share of new traces that are recorded, 0 to 1; those that come from outside say so themselves."),
  ]

  /// A tracer and what exports its spans; nil when there is no collector.
  ///
  /// - Throws: ``Refusal`` when OpenTelemetry's variables are no settings.
  package static func make(
    loop: EventLoop, log: Log, configuration: Configuration, service: String,
    environment: [String: String] = Program.environment
  ) throws(Refusal) -> (tracer: Tracer, exporter: SpanExporter)? {
    func value(_ name: String, or standard: String) -> String {
      let own = configuration.text(name)
      return own.isEmpty ? environment[standard] ?? "" : own
    }
    let endpoint = value("otlp-endpoint", or: standardEndpoint)
    if endpoint.isEmpty { return nil }
    guard Setting.isHTTPURL(endpoint) else {
      throw Refusal(description: "\(standardEndpoint) must be an http or https URL, such as http://127.0.0.1:4318")
    }
    guard let headers = headers(value("otlp-headers", or: standardHeaders)) else {
      throw Refusal(description: "--otlp-headers or \(standardHeaders) must be name=value, several separated by commas")
    }
    let tracer = Tracer(loop: loop, ratio: Double(configuration.text("trace-sample-ratio")) ?? 1)
    let base = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
    let exporter = SpanExporter(
      loop: loop, log: log, tracer: tracer, url: base + "/v1/traces", headers: headers,
      resource: [("service.name", service), ("service.namespace", "gozon")])
    return (tracer, exporter)
  }

  /// A setting that cannot be.
  package struct Refusal: Error, CustomStringConvertible {
    package let description: String
  }

  /// The fields of `name=value,name=value`; nil when it is none.
  static func headers(_ text: String) -> [String]? {
    var fields: [String] = []
    for pair in text.split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1)
      guard parts.count == 2, pair.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else { return nil }
      let name = parts[0].drop { $0 == " " }
      guard !name.isEmpty, !name.contains(" "), !name.contains(":") else { return nil }
      fields.append("\(name): \(parts[1])")
    }
    return fields
  }
}
