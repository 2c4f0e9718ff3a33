package import Service

/// What became of the messages that an ``EventConsumer`` took.
package struct ConsumerStatistics: Sendable, Equatable {
  /// Events of each batch, batches without events left out.
  package private(set) var sizes = Histogram()
  /// How long each of these batches took to be committed, in microseconds.
  package private(set) var durations = Histogram()
  /// Answers that the broker has taken.
  package internal(set) var answered = 0
  /// Messages that went to the stream DEAD.
  package internal(set) var buried = 0

  /// Nothing yet.
  package init() {}

  mutating func processed(_ count: Int, in duration: Duration) {
    if count == 0 { return }
    sizes.record(count)
    durations.record(duration)
  }
}
