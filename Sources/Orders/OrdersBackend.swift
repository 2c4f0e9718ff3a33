internal import API
package import Backend
internal import Idempotency
internal import JetStream
internal import Messaging
internal import RPC
package import Service

/// The service of orders, wired by hand.
package enum OrdersBackend {
  /// Its settings.
  package static let settings = BackendSettings.all(name: "orders", port: 7_001, adminPort: 9_081)

  /// The backend: a store, group commit, the relay of its events, and the consumer of their results.
  package static let backend = Backend(name: "orders") { foundation in
    let (loop, log) = (foundation.loop, foundation.log)
    let pool = foundation.database.pool
    let store = OrderStore(pool)
    let jetStream = foundation.broker.client
    let outbox = OrderOutbox(loop: loop, pool: pool, log: log)
    let relay = Relay(loop: loop, jetStream: jetStream, log: log, tracer: foundation.tracer) {
      try await outbox.takeDue(countMax: $0)
    }
    let feed = ChangeFeed(loop: loop, store: store, log: log)
    let creation = OrderCreation(loop: loop, store: store, relay: relay, feed: feed)
    let watch = OrderWatch(loop: loop)
    let cancellation = OrderCancellation(loop: loop, store: store, relay: relay, watch: watch, feed: feed)
    let consumer = EventConsumer<OrderSettled>(
      loop: loop, jetStream: jetStream, stream: EventStreams.payments.name,
      kinds: [EventKind(EventSubject.orderSettled, of: OrderSettled.self) { $0 }], lanes: foundation.lanes, log: log,
      tracer: foundation.tracer
    ) { batch in
      try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
        try await store.settle(batch.events.map(\.event), places: batch.places)
      }
      watch.settled(batch.events.lazy.map(\.event.orderId))
      feed.changed()
      return []
    }
    let service = OrdersServiceImplementation(
      store: store, creation: creation, cancellation: cancellation, runningKeys: RunningKeys(loop: loop),
      watching: OrderWatching(loop: loop, store: store, feed: feed), currency: foundation.configuration.text("currency")
    )
    let keySweeper = KeySweeper(loop: loop, pool: pool, log: log)
    return Backend.Specialty(
      services: [service.definition.describing(EventsSchema.file)],
      parts: [
        outbox.part, relay.part, consumer.part, creation.part, cancellation.part, keySweeper.part, feed.part,
      ],
      beginsShutdown: { feed.endFollowing() },
      metrics: {
        Metric.batches([
          ("orders", creation.waiting, creation.statistics),
          ("cancellations", cancellation.waiting, cancellation.statistics),
        ]) + Metric.relay(relay) + Metric.consumer(consumer) + Metric.feed(feed)
      },
      lag: { try await consumer.lag() },
      databaseFigures: { try await OrderFigures.metrics(pool) })
  }
}
