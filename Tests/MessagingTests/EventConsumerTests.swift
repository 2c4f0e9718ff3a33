import API
import EventLoop
import JetStream
@testable import Postgres
import TestSupport
import Testing
import Wire

@testable import Messaging

@Suite struct EventConsumerTests {
  private typealias Consumer = EventConsumer<OrderCreated>

  /// Runs a consumer beside `body`, and ends it gracefully.
  private static func withConsumer(
    _ scene: Scene, process: @escaping Consumer.Processing, _ body: @Sendable () async throws -> Void
  ) async throws {
    let consumer = Consumer(
      loop: scene.loop, jetStream: scene.client, consumer: Scene.chargeOrders, log: scene.log,
      refusal: { $0.amount == -13 ? "the amount is unlucky" : nil }, process: process)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await consumer.run() }
      defer { consumer.beginGracefulShutdown() }
      try await body()
    }
  }

  private static func answer(_ event: ReceivedEvent<OrderCreated>, subject: String = "payments.settled.0")
    -> OutgoingEvent
  {
    OutgoingEvent(
      id: "\(event.event.orderId)", subject: subject, type: "answer", orderID: event.event.orderId,
      userID: event.event.userId, traceparent: event.traceparent, payload: [])
  }

  @Test func `what can never be processed goes to DEAD with the reason, and holds up nobody`() async throws {
    try await Scene.with { scene in
      // Headers that tell a broker what to do would keep the letter out of DEAD; a large one would not fit with a reason.
      let garbage = OutgoingMessage(
        subject: "orders.created.garbage", messageID: "garbage",
        headers: ["Nats-Expected-Stream": "ORDERS", "Gozon-Type": "gozon.events.OrderCreated"], payload: [1, 2, 3])
      let large = OutgoingMessage(
        subject: "orders.created.large", messageID: "large", payload: Array(repeating: 7, count: 1_048_000))
      let messages = [event(1).message, garbage, event(-13).message, large, event(2).message]
      for result in await scene.client.publishBatch(messages) { _ = try result.get() }
      let seen = Book<Int64>()
      try await Self.withConsumer(scene) { events in
        seen.entries += events.map(\.event.amount)
        return events.map { Self.answer($0) }
      } _: {
        try await scene.until("all settled") { try await scene.unsettled() == 0 }
      }
      #expect(seen.entries.sorted() == [1, 2])
      let dead = try await scene.count("DEAD")
      #expect(dead == 3)
      let letter = try await scene.client.lastMessage(stream: "DEAD", subject: "dead.orders.created.garbage")
      #expect(letter.payload == [1, 2, 3] && letter.headers["Gozon-Type"] == "gozon.events.OrderCreated")
      #expect(letter.headers["Gozon-Stream"] == "ORDERS" && letter.headers["Gozon-Sequence"] == "2")
      #expect(letter.headers["Gozon-Reason"]?.hasPrefix("not a gozon.events.OrderCreated: ") == true)
      let unlucky = try await scene.client.message(stream: "DEAD", sequence: 2)
      #expect(unlucky.headers["Gozon-Reason"] == "the amount is unlucky")
      let cut = try await scene.client.lastMessage(stream: "DEAD", subject: "dead.orders.created.large")
      #expect(cut.payload.count == 512 * 1_024 && cut.headers["Gozon-Size"] == "1048000")
    }
  }

  @Test func `a batch that fails comes again`() async throws {
    try await Scene.with { scene in
      struct Failure: Error {}
      for result in await scene.client.publishBatch((1...20).map { event($0).message }) { _ = try result.get() }
      let (tries, seen) = (Book<Int>(), Book<Int64>())
      try await Self.withConsumer(scene) { events in
        tries.entries.append(events.count)
        if tries.entries.count <= 2 { throw Failure() }
        seen.entries += events.map(\.event.amount)
        return []
      } _: {
        try await scene.until("all settled") { try await scene.unsettled() == 0 }
      }
      #expect(Set(seen.entries) == Set(1...20))
      let dead = try await scene.count("DEAD")
      #expect(dead == 0)
    }
  }

  @Test func `an answer that the broker does not take makes its event come again`() async throws {
    try await Scene.with { scene in
      for result in await scene.client.publishBatch((1...4).map { event($0).message }) { _ = try result.get() }
      let seen = Book<Int64>()
      try await Self.withConsumer(scene) { events in
        events.map { received in
          let isFirst = !seen.entries.contains(received.event.amount)
          seen.entries.append(received.event.amount)
          // No stream takes this subject.
          let isLost = isFirst && received.event.amount % 2 == 0
          return Self.answer(received, subject: isLost ? "nowhere" : "payments.settled.0")
        }
      } _: {
        try await scene.until("all settled") { try await scene.unsettled() == 0 }
      }
      #expect(seen.entries.count { $0 % 2 == 1 } == 2 && seen.entries.count { $0 % 2 == 0 } == 4)
      let answers = try await scene.count("PAYMENTS")
      #expect(answers == 4)
    }
  }

  @Test func `an event whose values the database refuses is found among its neighbours`() async throws {
    try await Scene.with { scene in
      for result in await scene.client.publishBatch((1...10).map { event($0).message }) { _ = try result.get() }
      let seen = Book<Int64>()
      try await Self.withConsumer(scene) { events in
        if events.contains(where: { $0.event.amount == 5 }) {
          throw PostgresError(.server(.checkViolation), "secret of the server")
        }
        seen.entries += events.map(\.event.amount)
        return events.map { Self.answer($0) }
      } _: {
        try await scene.until("all settled") { try await scene.unsettled() == 0 }
      }
      #expect(seen.entries.sorted() == [1, 2, 3, 4, 6, 7, 8, 9, 10])
      let letter = try await scene.client.message(stream: "DEAD", sequence: 1)
      let reason = letter.headers["Gozon-Reason"]
      #expect(reason?.contains("23514") == true && reason?.contains("secret") == false)
    }
  }

  @Test(arguments: ["25006", "53100", "57P01", "42P01", "40P01"] as [SQLState])
  func `a database that is out of order buries nothing`(state: SQLState) async throws {
    try await Scene.with { scene in
      for result in await scene.client.publishBatch((1...5).map { event($0).message }) { _ = try result.get() }
      let (tries, seen) = (Book<Int>(), Book<Int64>())
      try await Self.withConsumer(scene) { events in
        tries.entries.append(events.count)
        if tries.entries.count <= 2 { throw PostgresError(.server(state), "not now") }
        seen.entries += events.map(\.event.amount)
        return []
      } _: {
        try await scene.until("all settled") { try await scene.unsettled() == 0 }
      }
      #expect(Set(seen.entries) == Set(1...5))
      let dead = try await scene.count("DEAD")
      #expect(dead == 0)
    }
  }

  @Test func `a trace is passed on when it is one`() async throws {
    try await Scene.with { scene in
      let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      for trace in [trace, "rubbish"] { _ = try await scene.client.publish(event(1, traceparent: trace).message) }
      let traces = Book<String?>()
      try await Self.withConsumer(scene) { events in
        traces.entries += events.map(\.traceparent)
        return []
      } _: {
        try await scene.until("both seen") { traces.entries.count == 2 }
      }
      #expect(traces.entries == [trace, nil])
    }
  }

  @Test func `a consumer that ends finishes its batch and leaves the rest to the next`() async throws {
    try await Scene.with { scene in
      let (seen, ended) = (Book<Int64>(), LoopSignal(loop: scene.loop))
      let first = Consumer(
        loop: scene.loop, jetStream: scene.client, consumer: Scene.chargeOrders, log: scene.log
      ) { events in
        ended.signal()
        try await scene.loop.sleep(for: .milliseconds(100))
        seen.entries += events.map(\.event.amount)
        return events.map { Self.answer($0) }
      }
      for result in await scene.client.publishBatch((1...3_000).map { event($0).message }) { _ = try result.get() }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await first.run() }
        await ended.wait()
        first.beginGracefulShutdown()
        try await group.waitForAll()
      }
      #expect(!seen.entries.isEmpty && seen.entries.count < 3_000)
      try await Self.withConsumer(scene) { events in
        seen.entries += events.map(\.event.amount)
        return []
      } _: {
        try await scene.until("all settled") { try await scene.unsettled() == 0 }
      }
      #expect(Set(seen.entries) == Set(1...3_000))
    }
  }
}
