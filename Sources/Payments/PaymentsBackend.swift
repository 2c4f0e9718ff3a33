internal import API
package import Backend
internal import Messaging
internal import RPC
package import Service
internal import Wire

/// The service of payments, wired by hand.
package enum PaymentsBackend {
  /// Its settings.
  package static let settings = BackendSettings.all(name: "payments", port: 7_002, adminPort: 9_082)

  /// The backend: a store, group commit of deposits, and the consumer that charges orders.
  package static let backend = Backend(name: "payments", consumer: EventStreams.chargeOrders) { foundation in
    let (loop, log) = (foundation.loop, foundation.log)
    let store = PaymentStore(foundation.database.pool)
    let deposits = DepositBatches(loop: loop, store: store)
    let consumer = EventConsumer<OrderCreated>(
      loop: loop, jetStream: foundation.broker.client, consumer: EventStreams.chargeOrders, log: log,
      refusal: Settlement.refusal
    ) { events in
      let results = try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
        try await store.settle(events.map(\.event), at: .now)
      }
      return zip(events, results).map { $1.answer(traceparent: $0.traceparent) }
    }
    let service = PaymentsServiceImplementation(
      store: store, deposits: deposits, currency: foundation.configuration.text("currency"))
    return Backend.Specialty(
      services: [service.definition.describing(EventsSchema.file)], parts: [consumer.part, deposits.part])
  }
}

extension OrderSettled {
  /// The event that tells the order's result. Its id is the order's too: a repeat within the broker's window is dropped,
  /// because then the first is still in the stream.
  fileprivate func answer(traceparent: String?) -> OutgoingEvent {
    OutgoingEvent(
      id: orderId, subject: EventSubject.orderSettled(of: userId), type: Self.fullName, orderID: orderId,
      userID: userId, traceparent: traceparent, payload: encoded())
  }
}
