/// One figure of a process, or the same figure of several things, as Prometheus reads it.
package struct Metric: Sendable {
  /// How a figure behaves.
  package enum Kind: String, Sendable {
    /// It only grows; its name ends in `_total`.
    case counter
    /// It goes up and down.
    case gauge
    /// Counts of values by their size.
    case histogram
  }

  /// Names and values that tell samples of a metric apart; the values come from small sets.
  package typealias Labels = KeyValuePairs<String, String>

  /// A value, with what comes behind the metric's name.
  struct Sample: Sendable {
    let suffix: String
    let labels: [(String, String)]
    let value: Double
  }

  /// The whole name, in base units, such as `gozon_outbox_oldest_seconds`.
  package let name: String
  /// How it behaves.
  package let kind: Kind
  /// What it counts, in a line.
  package let help: String
  let samples: [Sample]

  private init(name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
    self.name = name
    self.kind = kind
    self.help = help
    self.samples = samples
  }

  /// A figure called `gozon_` and `name`.
  package init(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
    self.init(name: "gozon_" + name, kind, help, [Sample(suffix: "", labels: [], value: value)])
  }

  /// A figure of several things, called `gozon_` and `name`.
  package init(_ name: String, _ kind: Kind, _ help: String, values: [(Labels, Double)]) {
    self.init(
      name: "gozon_" + name, kind, help,
      values.map { Sample(suffix: "", labels: $0.map { ($0.key, $0.value) }, value: $1) })
  }

  /// A figure that every process has, under the name that Prometheus' own clients give it.
  static func process(_ name: String, _ kind: Kind, _ help: String, _ value: Double) -> Metric {
    Metric(name: "process_" + name, kind, help, [Sample(suffix: "", labels: [], value: value)])
  }

  /// The values of a gauge, each with the whole name and the labels; none of any other metric.
  package var gauges: [(name: String, value: Double)] {
    if kind != .gauge { return [] }
    return samples.map { sample in
      let labels = sample.labels.map { "\($0.0)=\"\($0.1)\"" }.joined(separator: ",")
      return (labels.isEmpty ? name : "\(name){\(labels)}", sample.value)
    }
  }

  /// Values by their size, called `gozon_` and `name`.
  package static func histogram(
    _ name: String, _ help: String, _ scale: Histogram.Scale, _ values: [(Labels, Histogram)]
  ) -> Metric {
    Metric(name: "gozon_" + name, .histogram, help, values.flatMap { samples($0, $1, scale) })
  }

  /// Values by their size, called `gozon_` and `name`.
  package static func histogram(
    _ name: String, _ help: String, _ scale: Histogram.Scale, _ histogram: Histogram
  ) -> Metric {
    Metric(name: "gozon_" + name, .histogram, help, samples([:], histogram, scale))
  }

  private static func samples(_ labels: Labels, _ histogram: Histogram, _ scale: Histogram.Scale) -> [Sample] {
    let labels = labels.map { ($0.key, $0.value) }
    let count = Double(histogram.count)
    var samples = scale.classes.map { index in
      Sample(
        suffix: "_bucket", labels: labels + [("le", number(scale.bound(of: index)))],
        value: Double(histogram.count(upTo: index)))
    }
    samples.append(Sample(suffix: "_bucket", labels: labels + [("le", "+Inf")], value: count))
    samples.append(Sample(suffix: "_sum", labels: labels, value: Double(histogram.sum) * scale.unit))
    samples.append(Sample(suffix: "_count", labels: labels, value: count))
    return samples
  }

  // MARK: Text

  /// The figures in the text format of Prometheus, version 0.0.4.
  static func text(of metrics: [Metric]) -> String {
    var text = ""
    for metric in metrics {
      text += "# HELP \(metric.name) \(escaped(metric.help))\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
      for sample in metric.samples {
        text += metric.name + sample.suffix
        if !sample.labels.isEmpty {
          let pairs = sample.labels.map { name, value in "\(name)=\"\(escaped(value, quotes: true))\"" }
          text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(number(sample.value))\n"
      }
    }
    return text
  }

  /// Without what would end a line, begin an escape, or end a label's value.
  private static func escaped(_ text: String, quotes: Bool = false) -> String {
    var result = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    if let whole = Int64(exactly: value) { return "\(whole)" }
    return "\(value)"
  }
}
