import API
import EventLoop
import JSON
import JetStream
import Messaging
import Orders
import Postgres
import TestSupport
import Testing
import Wire

@testable import ClientTool

/// What is followed and filtered of the system's own streams, and how far their readers are.
@Suite struct StreamTailTests {
  private static let users = (1...2).map { UUID(high: 7, low: UInt64($0)) }

  private static func event(_ number: Int, of user: UUID) -> OutgoingEvent {
    OrderCreated(
      orderId: UUID(high: 1, low: UInt64(number)), userId: user, amount: Int64(number), currency: "RUB", createdAt: .now
    ).event(traceparent: nil)
  }

  /// Runs `body` with a broker whose stream ORDERS has six events, of two users in turn.
  private static func with(
    _ body: @escaping @Sendable (_ url: String, _ environment: [String: String]) async throws -> Void
  ) async throws {
    try await withServer { environment in
      try await EventBroker.with {
        for number in 1...6 { _ = try await $0.publish(event(number, of: users[number % 2]).message) }
      } _: { url in
        try await body(url, environment.merging(["GOZON_NATS_URL": url]) { $1 })
      }
    }
  }

  private static func sequences(_ run: Run) throws -> [Int64] {
    try run.lines.compactMap { try JSONValue(parsing: Array($0.utf8).span)["sequence"]?.integer }
  }

  @Test func `view and tail take what is asked for`() async throws {
    try await Self.with { _, environment async throws in
      func told(_ words: String...) async throws -> [Int64] {
        try Self.sequences(await gozon(["stream"] + words + ["--json"], environment: environment))
      }
      #expect(try await told("view", "ORDERS", "--user", "\(Self.users[1])") == [1, 3, 5])
      #expect(try await told("view", "ORDERS", "--order", "\(UUID(high: 1, low: 4))") == [4])
      #expect(
        try await told("view", "ORDERS", "--order", "\(UUID(high: 1, low: 4))", "--user", "\(Self.users[1])") == [])
      #expect(try await told("view", "ORDERS", "--since", "1h") == [1, 2, 3, 4, 5, 6])
      #expect(try await told("view", "ORDERS", "--since", "2999-01-01T00:00:00Z") == [])
      #expect(try await told("tail", "ORDERS", "--from", "2", "--user", "\(Self.users[0])", "--limit", "2") == [2, 4])
      #expect(try await told("tail", "ORDERS", "--from", "-2", "--limit", "2") == [5, 6])
      #expect(try await told("tail", "ORDERS", "--since", "1h", "--subject", "orders.>", "--limit", "1") == [1])
    }
  }

  @Test(arguments: [
    ["--order", "x"], ["--user", "7"], ["--since", "yesterday"], ["--since", "-1s"], ["--from", "1", "--since", "1m"],
    ["--limit", "0"],
  ])
  func `what cannot be meant is refused`(words: [String]) async {
    let run = await gozon(["stream", "tail", "ORDERS"] + words, environment: [:])
    #expect(run.status == 2 && run.errors.contains(words[0]))
  }

  @Test func `tail shows what comes, until Ctrl-C`() async throws {
    try await Self.with { url, environment async throws in
      let (interrupts, shown) = (TestInterrupts(), Locked(""))
      async let run = gozon(
        ["stream", "tail", "ORDERS", "--from", "6"], environment: environment, interrupts: interrupts.interrupts
      ) { text in shown.withLock { $0 += text } }
      // The last that there was tells that it follows.
      try await Self.until { shown.withLock { $0 }.contains(#""amount":6"#) }
      try await EventBroker.connect(url) { _ = try await $0.publish(Self.event(7, of: Self.users[0]).message) }
      try await Self.until { shown.withLock { $0 }.contains(#""amount":7"#) }
      interrupts.fire()
      let ended = await run
      #expect(ended.status == 0 && ended.lines.count == 2 && ended.lines[1].hasPrefix("7  "))
      #expect(ended.lines[1].contains("gozon.events.OrderCreated"))
    }
  }

  @Test func `tail waits for a broker that is lost, and misses nothing`() async throws {
    try await withServer { environment in
      try await TestNATS.withServer { nats in
        try await EventBroker.connect(nats.url) {
          _ = try await $0.publish(Self.event(1, of: Self.users[0]).message)
        }
        let environment = environment.merging(["GOZON_NATS_URL": nats.url]) { $1 }
        let (interrupts, shown) = (TestInterrupts(), Locked(""))
        async let run = gozon(
          ["stream", "tail", "ORDERS", "--from", "1"], environment: environment, interrupts: interrupts.interrupts
        ) { text in shown.withLock { $0 += text } }
        try await Self.until { shown.withLock { $0 }.contains(#""amount":1"#) }
        nats.kill()
        try await Self.until { shown.withLock { $0 }.contains("waiting for it") }
        try nats.start()
        try await EventBroker.connect(nats.url) {
          _ = try await $0.publish(Self.event(2, of: Self.users[0]).message)
        }
        try await Self.until { shown.withLock { $0 }.contains(#""amount":2"#) }
        interrupts.fire()
        #expect(await run.lines.count == 2)
      }
    }
  }

  @Test func `info tells how far the reader of a stream is, lane by lane`() async throws {
    let database = try TestDatabase.make("lag")
    try await Self.with { url, environment async throws in
      let created = try await EventBroker.connect(url) { try await $0.streamState("ORDERS").created }
      let lanes = Self.users.map { EventSubject.lane(of: $0) }
      try await onLoop { loop in
        try await TestDatabase.withPool(database, service: "payments", on: loop) { pool in
          // One lane is processed up to the fourth message, the other was in a stream that is gone.
          for (lane, stream) in [(lanes[1], created), (lanes[0], "2001-01-01T00:00:00Z")] {
            try await pool.execute(
              Statement("UPDATE lanes SET stream = $1, sequence = 4 WHERE lane = $2", stream, lane))
          }
        }
      }
      let known = environment.merging(["GOZON_DATABASE_URL_PAYMENTS": database]) { $1 }
      let json = await gozon("stream", "info", "ORDERS", "--json", environment: known)
      let readers = try JSONValue(parsing: Array(json.output.utf8).span)["readers"]?.array ?? []
      #expect(readers.count == 16)
      for reader in readers {
        let lane = Int16(clamping: reader["lane"]?.integer ?? -1)
        let (processed, pending) = (reader["processed"]?.integer, reader["pending"]?.integer)
        switch lane {
        case lanes[1]: #expect(processed == 4 && pending == 1, "the fifth")
        case lanes[0]: #expect(processed == 0 && pending == 3)
        default: #expect(processed == 0 && pending == 0)
        }
      }
      let text = await gozon("stream", "info", "ORDERS", environment: known)
      #expect(text.output.contains("READER") && text.output.contains("payments"))
      let unknown = await gozon("stream", "info", "ORDERS", environment: environment)
      #expect(unknown.status == 0 && unknown.errors.contains("--database-url-payments"))
    }
  }

  private static func until(_ condition: () -> Bool) async throws {
    for _ in 0..<3_000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
    #expect(condition())
  }
}
