package import Service

extension Metric {
  /// The figures of a consumer.
  package static func consumer<Event>(_ consumer: EventConsumer<Event>) -> [Metric] {
    let statistics = consumer.statistics
    return [
      Metric("lanes_held", .gauge, "Lanes of the stream that this process has.", Double(consumer.laneCount)),
      Metric(
        "events_processed_total", .counter, "Events that have had their effect.", Double(statistics.sizes.sum)),
      Metric("answers_published_total", .counter, "Answers that the broker has taken.", Double(statistics.answered)),
      Metric(
        "dead_letters_buried_total", .counter, "Messages that this process put into the stream DEAD.",
        Double(statistics.buried)),
      .histogram("events_batch_size", "Events of a batch: one transaction.", .counts, statistics.sizes),
      .histogram(
        "events_batch_duration_seconds", "How long a batch of events took to be committed.", .durations,
        statistics.durations),
    ]
  }

  /// The figures of a relay.
  package static func relay(_ relay: Relay) -> [Metric] {
    let statistics = relay.statistics
    return [
      Metric("relay_waiting", .gauge, "Events in memory that wait to be published.", Double(relay.waiting)),
      Metric("relay_published_total", .counter, "Events that the broker has taken.", Double(statistics.published)),
      Metric(
        "relay_failed_total", .counter, "Events that the broker did not take; they stay in the outbox.",
        Double(statistics.failed)),
      Metric(
        "relay_resent_total", .counter, "Events that were sent again because they had no result in time.",
        Double(statistics.resent)),
      Metric(
        "relay_overflowed_total", .counter, "Events that did not fit into the memory; they stay in the outbox.",
        Double(statistics.overflowed)),
    ]
  }
}
