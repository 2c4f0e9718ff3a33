import API
import EventLoop
import JetStream
import Postgres
import Service
import TestSupport
import Testing
import Tracing
import Wire

@testable import Messaging

/// Events as parts of traces, from a relay over a broker to a consumer and its answer.
@Suite struct EventTracingTests {
  private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"

  /// Runs `body` with a relay and a consumer of its events, which both tell the tracer.
  private static func with(
    _ body: @escaping @Sendable (Scene, Relay, EventConsumer<OrderCreated>, Tracer) async throws -> Void
  ) async throws {
    let url = try TestDatabase.make("tracing")
    try await Scene.with { scene in
      try await TestDatabase.withPool(url, service: "payments", on: scene.loop) { pool in
        let tracer = Tracer(loop: scene.loop, ratio: 1)
        let relay = Relay(loop: scene.loop, jetStream: scene.client, log: scene.log, tracer: tracer) { _ in [] }
        let lanes = LaneKeeper(loop: scene.loop, configuration: PostgresConfiguration(url: url), log: scene.log)
        let consumer = EventConsumer<OrderCreated>(
          loop: scene.loop, jetStream: scene.client, stream: "ORDERS",
          kinds: [EventKind(EventSubject.orderCreated, of: OrderCreated.self) { $0 }], lanes: lanes, log: scene.log,
          tracer: tracer
        ) { batch in
          try LaneTable.check(try await pool.execute(LaneTable.advance(batch.places)), against: batch.places)
          return batch.events.map { event in
            OutgoingEvent(
              id: "\(event.event.orderId)", subject: "payments.settled.0", type: "answer",
              orderID: event.event.orderId, userID: event.event.userId, traceparent: event.traceparent, payload: [])
          }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { await relay.run() }
          group.addTask { await consumer.run() }
          defer {
            consumer.beginGracefulShutdown()
            relay.beginGracefulShutdown()
          }
          try await body(scene, relay, consumer, tracer)
        }
      }
    }
  }

  @Test func `each step of a sampled trace is a span under the step before`() async throws {
    try await Self.with { scene, relay, consumer, tracer in
      let event = event(7, traceparent: Self.trace + "1")
      relay.publish([event])
      try await scene.until("answered") { try await scene.count("PAYMENTS") == 1 && tracer.waitingCount == 3 }
      let spans = tracer.take().sorted { $0.start < $1.start }
      let first = try #require(spans.first { $0.parentID == 0xb7ad_6b71_6920_3331 })
      let second = try #require(spans.first { $0.parentID == first.context.spanID })
      let third = try #require(spans.first { $0.parentID == second.context.spanID })
      #expect(
        [first, second, third].map(\.name) == [
          "publish orders.created", "process orders.created", "publish payments.settled",
        ])
      #expect([first, second, third].map(\.kind) == [.producer, .consumer, .producer])
      #expect(Set(spans.map(\.context.traceID)) == ["0af7651916cd43dd8448eb211c80319c"])
      let asked = try await scene.client.message(stream: "ORDERS", sequence: 1)
      let answer = try await scene.client.message(stream: "PAYMENTS", sequence: 1)
      #expect(asked.headers["traceparent"] == first.context.text && answer.headers["traceparent"] == third.context.text)
      #expect(
        spans.allSatisfy { span in
          span.attributes.contains { $0.key == .orderID && $0.value == .text("\(event.orderID)") }
        })
    }
  }

  @Test func `a trace that is not sampled goes on as it came`() async throws {
    try await Self.with { scene, relay, _, tracer in
      relay.publish([event(7, traceparent: Self.trace + "0"), event(8, traceparent: nil)])
      try await scene.until("answered") { try await scene.count("PAYMENTS") == 2 }
      let headers = [
        try await scene.client.message(stream: "PAYMENTS", sequence: 1).headers["traceparent"],
        try await scene.client.message(stream: "PAYMENTS", sequence: 2).headers["traceparent"],
      ]
      #expect(headers == [Self.trace + "0", nil] && tracer.counts.recorded == 0)
    }
  }

  @Test func `what is relayed and consumed is counted, and what is not yet is the lag`() async throws {
    try await Self.with { scene, relay, consumer, _ in
      relay.publish((1...5).map { event($0) })
      try await scene.until("answered") { consumer.statistics.answered == 5 }
      #expect(relay.statistics.published == 5 && relay.statistics.failed == 0 && relay.waiting == 0)
      #expect(consumer.statistics.sizes.sum == 5 && consumer.laneCount == 16)
      try await scene.until("no lag") { try await consumer.lag() == 0 }
      // Of no kind that it takes, so that the lag of all lanes has to look past it.
      _ = try await scene.client.publish(
        OutgoingMessage(subject: "orders.other.1", messageID: "x", headers: [:], payload: []))
      try await scene.until("no lag") { try await consumer.lag() == 0 }
      let figures = Metric.consumer(consumer) + Metric.relay(relay)
      #expect(Set(figures.map(\.name)).count == figures.count)
    }
  }
}
