internal import API
package import Backend
internal import Idempotency
internal import JetStream
internal import Messaging
internal import RPC
package import Service
internal import Wire

/// The service of payments, wired by hand.
package enum PaymentsBackend {
  /// Its settings.
  package static let settings = BackendSettings.all(name: "payments", port: 7_002, adminPort: 9_082)

  /// The backend: a store, group commit of deposits, and the consumer that charges orders and cancels them.
  package static let backend = Backend(name: "payments") { foundation in
    let loop = foundation.loop
    let store = PaymentStore(foundation.database.pool)
    let deposits = DepositBatches(loop: loop, store: store)
    let consumer = EventConsumer<PaymentRequest>(
      loop: loop, jetStream: foundation.broker.client, stream: EventStreams.orders.name,
      kinds: [
        EventKind(EventSubject.orderCreated, of: OrderCreated.self, refusal: { $0.refusal }) { .charge($0) },
        EventKind(EventSubject.orderCancelled, of: OrderCancelled.self, refusal: { $0.refusal }) { .cancel($0) },
      ], lanes: foundation.lanes, log: foundation.log, tracer: foundation.tracer
    ) { batch in
      let results = try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
        try await store.settle(batch.events.map(\.event), at: .now, places: batch.places)
      }
      return zip(batch.events, results).map { $1.answer(to: $0.event.type, traceparent: $0.traceparent) }
    }
    let service = PaymentsServiceImplementation(
      store: store, deposits: deposits, runningKeys: RunningKeys(loop: loop),
      currency: foundation.configuration.text("currency"))
    let keySweeper = KeySweeper(loop: loop, pool: foundation.database.pool, log: foundation.log)
    return Backend.Specialty(
      services: [service.definition.describing(EventsSchema.file)],
      parts: [consumer.part, deposits.part, keySweeper.part],
      metrics: {
        Metric.batches([("deposits", deposits.waiting, deposits.statistics)]) + Metric.consumer(consumer)
      },
      lag: { try await consumer.lag() })
  }
}

extension OrderSettled {
  /// The event that answers one of the type `question`. It has the question's id: a repeat within the broker's window is
  /// dropped, because then the first is still in the stream.
  fileprivate func answer(to question: String, traceparent: String?) -> OutgoingEvent {
    OutgoingEvent(
      id: EventID.of(question, orderID: orderId), subject: EventSubject.subject(EventSubject.orderSettled, of: userId),
      type: Self.fullName, orderID: orderId, userID: userId, traceparent: traceparent, payload: encoded())
  }
}
