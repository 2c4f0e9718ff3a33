internal import API
package import Backend
internal import EventLoop
internal import JetStream
internal import Messaging
internal import RPC
package import Service
internal import Wire

/// The service of payments, wired by hand.
package enum PaymentsBackend {
  /// Its settings.
  package static let settings = BackendSettings.all(name: "payments", port: 7_002, adminPort: 9_082)

  /// The backend: a store, group commit of deposits, and the consumers that charge orders and cancel them.
  package static let backend = Backend(
    name: "payments", consumers: [EventStreams.chargeOrders, EventStreams.cancelOrders]
  ) { foundation in
    let loop = foundation.loop
    let store = PaymentStore(foundation.database.pool)
    let deposits = DepositBatches(loop: loop, store: store)
    let charging = answering(
      EventStreams.chargeOrders, foundation,
      refusal: { (order: OrderCreated) in Charge.refusal(amount: order.amount, currency: order.currency) },
      decide: { try await store.settle($0, at: .now) })
    let cancelling = answering(
      EventStreams.cancelOrders, foundation,
      refusal: { (order: OrderCancelled) in Charge.refusal(amount: order.amount, currency: order.currency) },
      decide: { try await store.cancel($0, at: .now) })
    let service = PaymentsServiceImplementation(
      store: store, deposits: deposits, currency: foundation.configuration.text("currency"))
    return Backend.Specialty(
      services: [service.definition.describing(EventsSchema.file)],
      parts: [charging.part, cancelling.part, deposits.part])
  }

  /// A consumer that answers each event with what became of its order; `decide` does no harm when it is repeated.
  private static func answering<Event: Message>(
    _ consumer: ConsumerConfiguration, _ foundation: Backend.Foundation,
    refusal: @escaping @Sendable (Event) -> String?,
    decide: @escaping @Sendable ([Event]) async throws -> [OrderSettled]
  ) -> EventConsumer<Event> {
    let loop = foundation.loop
    return EventConsumer(
      loop: loop, jetStream: foundation.broker.client, consumer: consumer, log: foundation.log, refusal: refusal
    ) { events in
      let results = try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
        try await decide(events.map(\.event))
      }
      return zip(events, results).map { $1.answer(to: Event.fullName, traceparent: $0.traceparent) }
    }
  }
}

extension OrderSettled {
  /// The event that answers one of the type `question`. It has the question's id: a repeat within the broker's window is
  /// dropped, because then the first is still in the stream.
  fileprivate func answer(to question: String, traceparent: String?) -> OutgoingEvent {
    OutgoingEvent(
      id: EventID.of(question, orderID: orderId), subject: EventSubject.orderSettled(of: userId), type: Self.fullName,
      orderID: orderId, userID: userId, traceparent: traceparent, payload: encoded())
  }
}
