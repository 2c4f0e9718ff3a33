/// One figure of a process, as Prometheus reads it.
package struct Metric: Sendable {
  /// Whether a figure only grows.
  package enum Kind: String, Sendable { case counter, gauge }

  /// The name without its prefix, such as `outbox_oldest_seconds`; it becomes `gozon_outbox_oldest_seconds`.
  package let name: String
  /// Whether it only grows.
  package let kind: Kind
  /// What it counts, in a line.
  package let help: String
  /// Its value now.
  package let value: Double

  /// A figure.
  package init(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
    self.name = name
    self.kind = kind
    self.help = help
    self.value = value
  }

  /// The figures in the text format of Prometheus, version 0.0.4.
  static func text(of metrics: [Metric]) -> String {
    metrics.map { metric in
      """
      # HELP gozon_\(metric.name) \(metric.help)
      # TYPE gozon_\(metric.name) \(metric.kind.rawValue)
      gozon_\(metric.name) \(metric.value)

      """
    }.joined()
  }
}
