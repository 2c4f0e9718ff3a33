internal import API
package import Backend
internal import Messaging
internal import RPC
package import Service

/// The service of orders, wired by hand.
package enum OrdersBackend {
  /// Its settings.
  package static let settings = BackendSettings.all(name: "orders", port: 7_001, adminPort: 9_081)

  /// The backend: a store, group commit, the relay of its events, and the consumer of their results.
  package static let backend = Backend(name: "orders", consumers: [EventStreams.settleOrders]) { foundation in
    let (loop, log) = (foundation.loop, foundation.log)
    let store = OrderStore(foundation.database.pool)
    let jetStream = foundation.broker.client
    let relay = Relay(loop: loop, outbox: Outbox(foundation.database.pool), jetStream: jetStream, log: log)
    let creation = OrderCreation(loop: loop, store: store, relay: relay)
    let watch = OrderWatch(loop: loop)
    let cancellation = OrderCancellation(loop: loop, store: store, relay: relay, watch: watch)
    let consumer = EventConsumer<OrderSettled>(
      loop: loop, jetStream: jetStream, consumer: EventStreams.settleOrders, log: log
    ) { events in
      try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) { try await store.settle(events.map(\.event)) }
      watch.settled(events.lazy.map(\.event.orderId))
      return []
    }
    let service = OrdersServiceImplementation(
      store: store, creation: creation, cancellation: cancellation, currency: foundation.configuration.text("currency"))
    return Backend.Specialty(
      services: [service.definition.describing(EventsSchema.file)],
      parts: [relay.part, consumer.part, creation.part, cancellation.part],
      metrics: {
        [Metric("orders_waiting", .gauge, "Orders that wait for their transaction.", Double(creation.waiting))]
      })
  }
}
