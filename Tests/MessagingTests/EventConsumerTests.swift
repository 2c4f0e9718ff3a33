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
  private typealias Work = @Sendable ([ReceivedEvent<OrderCreated>]) async throws -> [OutgoingEvent]

  /// A broker, and a database with lanes.
  private struct Stage: Sendable {
    let scene: Scene
    let pool: PostgresPool
    let url: String

    /// A consumer whose work is done in memory, and whose places are in the database.
    ///
    /// - Parameter committed: is told of events whose places are in the database: no other consumer has done the same.
    func consumer(
      _ work: @escaping Work, committed: @escaping @Sendable ([ReceivedEvent<OrderCreated>]) -> Void = { _ in }
    ) -> Consumer {
      let lanes = LaneKeeper(loop: scene.loop, configuration: PostgresConfiguration(url: url), log: scene.log)
      return Consumer(
        loop: scene.loop, jetStream: scene.client, stream: "ORDERS",
        kinds: [
          EventKind(
            EventSubject.orderCreated, of: OrderCreated.self,
            refusal: { $0.amount == -13 ? "the amount is unlucky" : nil }
          ) { $0 }
        ], lanes: lanes, log: scene.log
      ) { batch in
        let answers = try await work(batch.events)
        try LaneTable.check(try await pool.execute(LaneTable.advance(batch.places)), against: batch.places)
        committed(batch.events)
        return answers
      }
    }

    /// Runs a consumer beside `body`, and ends it gracefully.
    func withConsumer(_ work: @escaping Work, _ body: @Sendable () async throws -> Void) async throws {
      let consumer = consumer(work)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await consumer.run() }
        defer { consumer.beginGracefulShutdown() }
        try await body()
      }
    }

    /// How far all lanes together are processed.
    func processed() async throws -> Int64 {
      try await pool.query(Statement("SELECT max(sequence) FROM lanes")).single().value(0)
    }

    /// Waits until everything in the stream is dealt with.
    func untilProcessed() async throws {
      try await scene.until("all processed") { try await processed() == scene.count("ORDERS") }
    }
  }

  private static func with(_ body: @escaping @Sendable (Stage) async throws -> Void) async throws {
    let url = try TestDatabase.make("consumer")
    try await Scene.with { scene in
      try await TestDatabase.withPool(url, service: "payments", on: scene.loop) { pool in
        try await body(Stage(scene: scene, pool: pool, url: url))
      }
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
    try await Self.with { stage in
      let client = stage.scene.client
      // Headers that tell a broker what to do would keep the letter out of DEAD; a large one would not fit with a reason.
      let garbage = OutgoingMessage(
        subject: "orders.created.3", messageID: "garbage",
        headers: ["Nats-Expected-Stream": "ORDERS", "Gozon-Type": "gozon.events.OrderCreated"], payload: [1, 2, 3])
      let large = OutgoingMessage(
        subject: "orders.created.4", messageID: "large", payload: Array(repeating: 7, count: 1_048_000))
      let foreign = OutgoingMessage(subject: "orders.created.nowhere", messageID: "foreign", payload: [9])
      try await client.publish([event(1).message, garbage, event(-13).message, large, foreign, event(2).message])
      let seen = Book<Int64>()
      try await stage.withConsumer { events in
        seen.entries += events.map(\.event.amount)
        return events.map { Self.answer($0) }
      } _: {
        try await stage.untilProcessed()
      }
      #expect(seen.entries.sorted() == [1, 2])
      let dead = try await stage.scene.count("DEAD")
      #expect(dead == 3)
      let letter = try await client.message(stream: "DEAD", sequence: 1)
      #expect(letter.payload == [1, 2, 3] && letter.headers["Gozon-Type"] == "gozon.events.OrderCreated")
      #expect(letter.headers["Gozon-Stream"] == "ORDERS" && letter.headers["Gozon-Sequence"] == "2")
      #expect(letter.headers["Gozon-Reason"]?.hasPrefix("not a gozon.events.OrderCreated: ") == true)
      let unlucky = try await client.message(stream: "DEAD", sequence: 2)
      #expect(unlucky.headers["Gozon-Reason"] == "the amount is unlucky")
      let cut = try await client.message(stream: "DEAD", sequence: 3)
      #expect(cut.payload.count == 512 * 1_024 && cut.headers["Gozon-Size"] == "1048000")
    }
  }

  @Test(arguments: ["25006", "53100", "57P01", "42P01", "40P01"] as [SQLState])
  func `a database that is out of order buries nothing, and the batch comes again`(state: SQLState) async throws {
    try await Self.with { stage in
      try await stage.scene.client.publish((1...5).map { event($0).message })
      let (tries, seen) = (Book<Int>(), Book<Int64>())
      try await stage.withConsumer { events in
        tries.entries.append(events.count)
        if tries.entries.count <= 2 { throw PostgresError(.server(state), "not now") }
        seen.entries += events.map(\.event.amount)
        return []
      } _: {
        try await stage.untilProcessed()
      }
      #expect(Array(seen.entries.suffix(5)) == Array(1...5))
      let dead = try await stage.scene.count("DEAD")
      #expect(dead == 0)
    }
  }

  @Test func `an event whose values the database refuses is found among its neighbours`() async throws {
    try await Self.with { stage in
      try await stage.scene.client.publish((1...10).map { event($0).message })
      let seen = Book<Int64>()
      try await stage.withConsumer { events in
        if events.contains(where: { $0.event.amount == 5 }) {
          throw PostgresError(.server(.checkViolation), "secret of the server")
        }
        seen.entries += events.map(\.event.amount)
        return events.map { Self.answer($0) }
      } _: {
        try await stage.untilProcessed()
      }
      #expect(seen.entries == [1, 2, 3, 4, 6, 7, 8, 9, 10])
      let letter = try await stage.scene.client.message(stream: "DEAD", sequence: 1)
      let reason = letter.headers["Gozon-Reason"]
      #expect(reason?.contains("23514") == true && reason?.contains("secret") == false)
    }
  }

  @Test func `an event on which we fail goes to DEAD after three tries, and one on which we fail once does not`()
    async throws
  {
    try await Self.with { stage in
      struct Bug: Error {}
      try await stage.scene.client.publish((1...10).map { event($0).message })
      let (alone, seen) = (Book<Int64>(), Book<Int64>())
      try await stage.withConsumer { events in
        if let bad = events.first(where: { $0.event.amount == 4 || $0.event.amount == 7 })?.event.amount {
          if events.count == 1 { alone.entries.append(bad) }
          // The seventh fails in company, and once alone.
          if bad == 4 || events.count > 1 || alone.entries.count(where: { $0 == 7 }) == 1 { throw Bug() }
        }
        seen.entries += events.map(\.event.amount)
        return []
      } _: {
        try await stage.untilProcessed()
      }
      #expect(seen.entries == [1, 2, 3, 5, 6, 7, 8, 9, 10])
      #expect(alone.entries.count { $0 == 4 } == 3 && alone.entries.count { $0 == 7 } == 2)
      let letter = try await stage.scene.client.message(stream: "DEAD", sequence: 1)
      #expect(letter.headers["Gozon-Reason"] == "processing it failed 3 times: Bug")
      let dead = try await stage.scene.count("DEAD")
      #expect(dead == 1)
    }
  }

  @Test func `what fails for every event is not the events' fault`() async throws {
    try await Self.with { stage in
      try await stage.scene.client.publish((1...5).map { event($0).message })
      let (isBroken, tries) = (Book<Bool>(), Book<Int>())
      isBroken.entries = [true]
      let consumer = stage.consumer { events in
        tries.entries.append(events.count)
        // A batch without events fails as well: it is not theirs.
        if isBroken.entries[0] { throw PostgresError(.server("XX000"), "corrupted") }
        return []
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await consumer.run() }
        defer { consumer.beginGracefulShutdown() }
        try await stage.scene.until("several tries") { tries.entries.count > 8 }
        isBroken.entries = [false]
        try await stage.untilProcessed()
      }
      let dead = try await stage.scene.count("DEAD")
      #expect(dead == 0)
    }
  }

  @Test func `an answer that the broker does not take holds up nothing`() async throws {
    try await Self.with { stage in
      try await stage.scene.client.publish((1...4).map { event($0).message })
      try await stage.withConsumer { events in
        // No stream takes this subject.
        events.map { Self.answer($0, subject: "nowhere") }
      } _: {
        try await stage.untilProcessed()
      }
    }
  }

  @Test func `a trace is passed on when it is one`() async throws {
    try await Self.with { stage in
      let (user, trace) = (UUID.random(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
      for trace in [trace, "rubbish"] {
        _ = try await stage.scene.client.publish(event(1, of: user, traceparent: trace).message)
      }
      let traces = Book<String?>()
      try await stage.withConsumer { events in
        traces.entries += events.map(\.traceparent)
        return []
      } _: {
        try await stage.untilProcessed()
      }
      #expect(traces.entries == [trace, nil])
    }
  }

  @Test func `a consumer that ends finishes its batch, and the next goes on behind it`() async throws {
    try await Self.with { stage in
      let (seen, began) = (Book<Int64>(), LoopSignal(loop: stage.scene.loop))
      let first = stage.consumer { events in
        began.signal()
        try await stage.scene.loop.sleep(for: .milliseconds(100))
        seen.entries += events.map(\.event.amount)
        return events.map { Self.answer($0) }
      }
      try await stage.scene.client.publish((1...3_000).map { event($0).message })
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await first.run() }
        await began.wait()
        first.beginGracefulShutdown()
        try await group.waitForAll()
      }
      #expect(!seen.entries.isEmpty && seen.entries.count < 3_000)
      let answers = try await stage.scene.count("PAYMENTS")
      #expect(answers == seen.entries.count)
      try await stage.withConsumer { events in
        seen.entries += events.map(\.event.amount)
        return []
      } _: {
        try await stage.untilProcessed()
      }
      #expect(seen.entries == Array(1...3_000), "each once, in order")
    }
  }

  @Test func `consumers that share a stream take each event once, and a user's in order, whoever comes and goes`()
    async throws
  {
    try await Self.with { stage in
      let users = (0..<40).map { _ in UUID.random() }
      let seen = Book<(user: UUID, amount: Int64)>()
      let consumers = (0..<3).map { _ in
        stage.consumer { _ in
          try await stage.scene.loop.sleep(for: .milliseconds(5))
          return []
        } committed: { events in
          // One that was held up for too long loses its lanes, and what it has done is done by another.
          seen.entries += events.map { ($0.event.userId, $0.event.amount) }
        }
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await consumers[0].run() }
        for amount in 1...100 as ClosedRange<Int64> {
          try await stage.scene.client.publish(users.map { event(amount, of: $0).message })
          if amount == 20 { group.addTask { await consumers[1].run() } }
          if amount == 40 { group.addTask { await consumers[2].run() } }
          if amount == 70 { consumers[0].beginGracefulShutdown() }
          try await stage.scene.loop.sleep(for: .milliseconds(40))
        }
        try await stage.scene.until("all seen") { seen.entries.count >= 4_000 }
        for consumer in consumers { consumer.beginGracefulShutdown() }
        try await group.waitForAll()
      }
      for user in users { #expect(seen.entries.filter { $0.user == user }.map(\.amount) == Array(1...100)) }
    }
  }

  @Test func `lanes that another process has taken are not written, and what is left is`() async throws {
    try await Self.with { stage in
      _ = try await stage.scene.client.publish(event(1).message)
      let batches = Book<[UUID]>()
      try await stage.withConsumer { events in
        batches.entries.append(events.map(\.event.userId))
        switch batches.entries.count {
        // What the next batch will be of.
        case 1:
          try await stage.scene.client.publish((1...60).map { event($0).message })
          try await stage.scene.loop.sleep(for: .milliseconds(200))
        // As another process would, while this one believes to have them.
        case 2: try await stage.pool.execute(Statement("UPDATE lanes SET epoch = epoch + 1 WHERE lane < 8"))
        default: break
        }
        return []
      } _: {
        try await stage.scene.until("all seen") {
          guard Set(batches.entries.joined()).count == 61, batches.entries.count > 3 else { return false }
          // Had again with a new epoch, the others come again.
          let others = batches.entries[1].filter { EventSubject.lane(of: $0) < 8 }
          return Set(batches.entries[3...].joined()).isSuperset(of: others)
        }
      }
      let batch = batches.entries[1]
      let mine = batch.filter { EventSubject.lane(of: $0) >= 8 }
      #expect(!mine.isEmpty && mine.count < batch.count && batches.entries[2] == mine)
      #expect(Set(batches.entries[3...].joined()).isDisjoint(with: mine))
    }
  }

  @Test func `a broker that loses its store is read from the beginning again`() async throws {
    try await Self.with { stage in
      let seen = Book<Int64>()
      try await stage.withConsumer { events in
        seen.entries += events.map(\.event.amount)
        return []
      } _: {
        try await stage.scene.client.publish((1...50).map { event($0).message })
        try await stage.untilProcessed()
        stage.scene.broker.kill()
        stage.scene.broker.wipe()
        try await stage.scene.until("noticed") { !stage.scene.client.health.isReady }
        try stage.scene.broker.start()
        try await stage.scene.client.waitUntilReady(within: .seconds(20))
        try await stage.scene.client.publish((51...60).map { event($0).message })
        try await stage.scene.until("all seen") { seen.entries.count == 60 }
      }
      #expect(seen.entries == Array(1...60))
    }
  }

  @Test func `lanes on which nothing comes are moved on with the others, now and then`() async throws {
    try await Self.with { stage in
      let user = UUID.random()
      try await stage.withConsumer { _ in
        []
      } _: {
        for amount in 1...100 as ClosedRange<Int64> {
          _ = try await stage.scene.client.publish(event(amount, of: user).message)
          try await stage.scene.loop.sleep(for: .milliseconds(60))
        }
        try await stage.untilProcessed()
      }
      let least: Int64 = try await stage.pool.query(Statement("SELECT min(sequence) FROM lanes")).single().value(0)
      #expect(least > 50)
    }
  }
}
