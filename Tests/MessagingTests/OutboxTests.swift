import EventLoop
import Postgres
import TestSupport
import Testing
import Wire

@testable import Messaging

@Suite struct OutboxTests {
  /// Puts an event into the outbox that is due in so many seconds.
  static func insert(_ pool: PostgresPool, due seconds: Int64, attempts: Int32 = 0, _ event: OutgoingEvent) async throws
  {
    try await pool.execute(
      Statement(
        """
        INSERT INTO outbox (id, subject, type, user_id, payload, traceparent, attempts, due_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 s')
        """, event.orderID, event.subject, event.type, event.userID, event.payload, event.traceparent, attempts, seconds
      ))
  }

  @Test func `relays that share a table get each event once`() async throws {
    let url = try TestDatabase.make("outbox")
    try await onLoop { loop in
      try await TestDatabase.withPool(url, service: "orders", on: loop) { first in
        try await TestDatabase.withPool(url, service: "orders", on: loop) { second in
          var wanted: [UUID: OutgoingEvent] = [:]
          for number in 1...200 {
            let event = event(Int64(number), traceparent: number % 2 == 0 ? "trace" : nil)
            wanted[event.orderID] = event
            try await Self.insert(first, due: -1, event)
          }
          try await Self.insert(first, due: 60, event(1))
          let taken = try await withThrowingTaskGroup(of: [OutgoingEvent].self) { group in
            for pool in [first, second, first, second] {
              group.addTask {
                let outbox = Outbox(pool)
                var mine: [OutgoingEvent] = []
                while true {
                  let batch = try await outbox.takeDue(countMax: 7)
                  if batch.isEmpty { return mine }
                  #expect(batch.count <= 7)
                  mine += batch
                }
              }
            }
            return try await group.reduce(into: []) { $0 += $1 }
          }
          #expect(taken.count == 200)
          #expect(Dictionary(taken.map { ($0.orderID, $0) }) { first, _ in first } == wanted)
        }
      }
    }
  }

  @Test func `an event is put off for twice as long each time, up to a minute and some`() async throws {
    try await TestDatabase.withPool(try TestDatabase.make("outbox"), service: "orders") { pool in
      let outbox = Outbox(pool)
      for (attempts, seconds) in [(0, 5.0), (1, 10), (2, 20), (3, 40), (4, 60), (9, 60), (1_000_000, 60)]
        as [(Int32, Double)]
      {
        let event = event(1)
        try await Self.insert(pool, due: -100, attempts: attempts, event)
        let taken = try await outbox.takeDue(countMax: 10)
        #expect(taken.map(\.orderID) == [event.orderID])
        let row = try await pool.query(
          Statement(
            "SELECT attempts, (extract(epoch FROM due_at - now()) * 1000)::bigint FROM outbox WHERE id = $1",
            event.orderID)
        ).single()
        let (tries, wait) = try row.values((Int32, Int64).self)
        #expect(tries == attempts + 1)
        #expect((seconds * 800 - 500...seconds * 1_200).contains(Double(wait)), "\(wait) ms after \(attempts) attempts")
      }
    }
  }
}
