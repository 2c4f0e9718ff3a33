/// What became of the items and batches of a ``Batcher``.
package struct BatchStatistics: Sendable, Equatable {
  /// Items of each batch.
  package private(set) var sizes = Histogram()
  /// How long the first item of each batch had waited, in microseconds.
  package private(set) var waits = Histogram()
  /// How long each batch took, in microseconds.
  package private(set) var durations = Histogram()
  /// Items that were not taken.
  package var refused = 0

  /// Nothing yet.
  package init() {}

  mutating func batchBegan(_ count: Int, waited: Duration) {
    sizes.record(count)
    waits.record(waited)
  }

  mutating func batchEnded(after duration: Duration) { durations.record(duration) }
}

extension Metric {
  /// The figures of batchers, each by its name.
  package static func batches(_ batchers: [(name: String, waiting: Int, statistics: BatchStatistics)]) -> [Metric] {
    let labels: (String) -> Labels = { ["batch": $0] }
    return [
      Metric(
        "batch_waiting", .gauge, "Items that wait for their batch.",
        values: batchers.map { (labels($0.name), Double($0.waiting)) }),
      Metric(
        "batch_refused_total", .counter, "Items that were refused because too many waited, or for too long.",
        values: batchers.map { (labels($0.name), Double($0.statistics.refused)) }),
      .histogram(
        "batch_size", "Items of a batch: one transaction.", .counts,
        batchers.map { (labels($0.name), $0.statistics.sizes) }),
      .histogram(
        "batch_wait_seconds", "How long the first item of a batch had waited for it.", .durations,
        batchers.map { (labels($0.name), $0.statistics.waits) }),
      .histogram(
        "batch_duration_seconds", "How long a batch took, from its first statement to its commit.", .durations,
        batchers.map { (labels($0.name), $0.statistics.durations) }),
    ]
  }
}
