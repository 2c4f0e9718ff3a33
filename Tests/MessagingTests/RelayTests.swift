import API
import EventLoop
import JetStream
import Postgres
import TestSupport
import Testing
import Wire

@testable import Messaging

@Suite struct RelayTests {
  /// Runs `body` with a relay to a broker of its own, and the outbox that it reads.
  private static func withRelay(
    _ body: @escaping @Sendable (Scene, Relay, Book<OutgoingEvent>) async throws -> Void
  ) async throws {
    try await Scene.with { scene in
      let outbox = Book<OutgoingEvent>()
      let relay = relay(scene, outbox)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await relay.run() }
        defer { relay.beginGracefulShutdown() }
        try await body(scene, relay, outbox)
      }
    }
  }

  /// A relay that takes what is in `outbox` as due, once.
  private static func relay(_ scene: Scene, _ outbox: Book<OutgoingEvent>) -> Relay {
    Relay(loop: scene.loop, jetStream: scene.client, log: scene.log) { countMax in
      let due = Array(outbox.entries.prefix(countMax))
      outbox.entries.removeFirst(due.count)
      return due
    }
  }

  @Test func `what was committed is published at once, with headers for the stock tools`() async throws {
    try await Self.withRelay { scene, relay, _ in
      let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
      let event = event(7, traceparent: trace)
      let start = scene.loop.now
      relay.publish([event])
      try await scene.until("published") { try await scene.count("ORDERS") == 1 }
      #expect(scene.loop.now - start < .milliseconds(900), "before any sweep")
      let message = try await scene.client.message(stream: "ORDERS", sequence: 1)
      #expect(message.subject == event.subject && message.payload == event.payload)
      #expect(message.headers["Nats-Msg-Id"] == "\(event.orderID)" && message.headers["traceparent"] == trace)
      #expect(message.headers["Gozon-Type"] == OrderCreated.fullName)
      #expect(
        message.headers["Gozon-Order"] == "\(event.orderID)" && message.headers["Gozon-User"] == "\(event.userID)")
    }
  }

  @Test func `what others left is published when it falls due, in portions`() async throws {
    try await Self.withRelay { scene, _, outbox in
      outbox.entries = (1...2_500).map { event($0) }
      try await scene.until("published") { try await scene.count("ORDERS") == 2_500 }
    }
  }

  @Test func `an event that two relays send is one message`() async throws {
    try await Self.withRelay { scene, relay, outbox in
      let event = event(1)
      outbox.entries = [event]
      relay.publish([event, event])
      try await scene.until("taken from the outbox") { outbox.entries.isEmpty }
      try await scene.loop.sleep(for: .milliseconds(100))
      let count = try await scene.count("ORDERS")
      #expect(count == 1)
    }
  }

  @Test func `events of a user are published in the order of their commits`() async throws {
    try await Self.withRelay { scene, relay, _ in
      let user = UUID.random()
      for start in stride(from: 1, to: 5_000, by: 100) {
        relay.publish((start..<(start + 100)).map { event(Int64($0), of: user) })
        if start % 700 == 1 { try await scene.loop.sleep(for: .milliseconds(2)) }
      }
      let reader = try await scene.client.read("ORDERS", from: 1)
      var amounts: [Int64] = []
      while amounts.count < 5_000 {
        amounts += try await reader.next(1_000).map { try OrderCreated(decoding: $0.payload).amount }
      }
      #expect(amounts == Array(1...5_000))
    }
  }

  @Test func `a broker that is gone gets what falls due when it is back`() async throws {
    try await Self.withRelay { scene, relay, outbox in
      let events = (1...50).map { event($0) }
      relay.publish(Array(events.prefix(25)))
      try await scene.until("published") { try await scene.count("ORDERS") == 25 }
      scene.broker.kill()
      scene.broker.wipe()
      relay.publish(Array(events.suffix(25)))
      try await scene.until("noticed") { !scene.client.health.isReady }
      // While the broker is away, nothing is taken: it would be put off in vain.
      outbox.entries = events
      try await scene.loop.sleep(for: .milliseconds(1_500))
      #expect(outbox.entries.count == 50)
      try scene.broker.start()
      try await scene.until("published again") { (try? await scene.count("ORDERS")) == 50 }
    }
  }

  @Test func `a relay that ends publishes first what it has in memory`() async throws {
    try await Scene.with { scene in
      let relay = Self.relay(scene, Book())
      relay.publish((1...2_500).map { event($0) })
      relay.beginGracefulShutdown()
      await relay.run()
      let count = try await scene.count("ORDERS")
      #expect(count == 2_500)
    }
  }
}
