import API
import EventLoop
import JetStream
import Postgres
import TestSupport
import Testing
import Wire

@testable import Messaging

@Suite struct RelayTests {
  /// Runs `body` with a relay on a database and a broker of its own.
  private static func withRelay(
    _ body: @escaping @Sendable (Scene, Relay, PostgresPool) async throws -> Void
  ) async throws {
    let url = try TestDatabase.make("relay")
    try await Scene.with { scene in
      try await TestDatabase.withPool(url, service: "orders", on: scene.loop) { pool in
        let relay = Relay(loop: scene.loop, outbox: Outbox(pool), jetStream: scene.client, log: scene.log)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { await relay.run() }
          defer { relay.beginGracefulShutdown() }
          try await body(scene, relay, pool)
        }
      }
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

  @Test func `what others left in the table is published when it falls due`() async throws {
    try await Self.withRelay { scene, _, pool in
      for _ in 0..<5 { try await OutboxTests.insert(pool, due: -1, event(1)) }
      try await OutboxTests.insert(pool, due: 60, event(1))
      try await scene.until("published") { try await scene.count("ORDERS") == 5 }
    }
  }

  @Test func `an event that two relays send is one message`() async throws {
    try await Self.withRelay { scene, relay, pool in
      let event = event(1)
      try await OutboxTests.insert(pool, due: -1, event)
      relay.publish([event, event])
      try await scene.until("published") { try await scene.count("ORDERS") == 1 }
      try await scene.until("taken from the table") {
        let attempts: Int32 = try await pool.query(Statement("SELECT attempts FROM outbox")).single().value(0)
        return attempts == 1
      }
      try await scene.loop.sleep(for: .milliseconds(100))
      let count = try await scene.count("ORDERS")
      #expect(count == 1)
    }
  }

  @Test func `a broker that is gone and loses its store gets everything when it is back`() async throws {
    try await Self.withRelay { scene, relay, pool in
      let events = (1...50).map { event($0) }
      for event in events { try await OutboxTests.insert(pool, due: 0, event) }
      relay.publish(events.prefix(25))
      try await scene.until("published") { try await scene.count("ORDERS") >= 25 }
      scene.broker.kill()
      scene.broker.wipe()
      relay.publish(events.suffix(25))
      try await scene.until("noticed") { !scene.client.health.isReady }
      // What was taken from the table or from memory meanwhile falls due again.
      try await pool.execute(Statement("UPDATE outbox SET due_at = now()"))
      try scene.broker.start()
      try await scene.client.waitUntilReady(within: .seconds(20))
      try await pool.execute(Statement("UPDATE outbox SET due_at = now()"))
      try await scene.until("published again") { try await scene.count("ORDERS") == 50 }
    }
  }

  @Test func `a relay that ends publishes first what it has in memory`() async throws {
    try await Scene.with { scene in
      try await TestDatabase.withPool(try TestDatabase.make("relay"), service: "orders", on: scene.loop) { pool in
        let relay = Relay(loop: scene.loop, outbox: Outbox(pool), jetStream: scene.client, log: scene.log)
        relay.publish((1...2_500).map { event($0) })
        relay.beginGracefulShutdown()
        await relay.run()
        let count = try await scene.count("ORDERS")
        #expect(count == 2_500)
      }
    }
  }
}
