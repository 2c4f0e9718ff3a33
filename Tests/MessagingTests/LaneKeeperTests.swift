import EventLoop
import Postgres
import Service
import TestSupport
import Testing

@testable import Messaging

@Suite struct LaneKeeperTests {
  /// Runs `body` with keepers that share a database, and a pool of it.
  private static func withKeepers(
    _ count: Int, _ body: @escaping @Sendable ([LaneKeeper], PostgresPool) async throws -> Void
  ) async throws {
    let url = try TestDatabase.make("lanes")
    try await onLoop { loop in
      try await TestDatabase.withPool(url, service: "payments", on: loop) { pool in
        let keepers = (0..<count).map { _ in
          LaneKeeper(
            loop: loop, configuration: PostgresConfiguration(url: url), log: Log(service: "test", level: .error))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for keeper in keepers { group.addTask { await keeper.run() } }
          defer { for keeper in keepers { keeper.beginGracefulShutdown() } }
          try await body(keepers, pool)
        }
      }
    }
  }

  private static func until(
    _ what: String, _ pool: PostgresPool, _ condition: () async throws -> Bool
  ) async throws {
    let deadline = pool.loop.now + .seconds(20)
    while try await !condition() {
      try #require(pool.loop.now < deadline, "not in time: \(what)")
      try await pool.loop.sleep(for: .milliseconds(10))
    }
  }

  private static func haveAll(_ keepers: [LaneKeeper], atMost share: Int) -> Bool {
    let lanes = keepers.flatMap(\.places.keys)
    return lanes.count == 16 && Set(lanes).count == 16 && keepers.allSatisfy { $0.places.count <= share }
  }

  @Test func `processes share the lanes evenly, and take over those of one that ends`() async throws {
    try await Self.withKeepers(3) { keepers, pool in
      try await Self.until("three shares", pool) { Self.haveAll(keepers, atMost: 6) }
      keepers[0].beginGracefulShutdown()
      try await Self.until("two shares", pool) { Self.haveAll(Array(keepers[1...]), atMost: 8) }
      #expect(keepers[0].places.isEmpty)
    }
  }

  @Test func `a session that the server ends gives up its lanes, and has them again with another epoch`() async throws {
    try await Self.withKeepers(1) { keepers, pool in
      try await Self.until("all lanes", pool) { Self.haveAll(keepers, atMost: 16) }
      let before = keepers[0].places
      try await pool.execute(
        Statement(
          """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name LIKE '%-lanes' AND datname = current_database()
          """))
      try await Self.until("lost", pool) { keepers[0].places.isEmpty }
      try await Self.until("had again", pool) { Self.haveAll(keepers, atMost: 16) }
      for (lane, place) in before { #expect(keepers[0].places[lane]?.epoch == place.epoch + 1) }
      // What was about to be written in the earlier epoch is not.
      let stale = before.values.sorted { $0.lane < $1.lane }
      let written = try await pool.execute(LaneTable.advance(stale))
      #expect(throws: LanesLost(places: stale)) { try LaneTable.check(written, against: stale) }
    }
  }

  @Test func `a session that gives no sign of life is ended by the server`() async throws {
    try await Self.withKeepers(1) { keepers, pool in
      try await Self.until("all lanes", pool) { Self.haveAll(keepers, atMost: 16) }
      let limit: String = try await pool.query(
        Statement("SELECT setting FROM pg_settings WHERE name = 'idle_session_timeout'")
      ).single().value(0)
      #expect(limit == "0", "only the keeper's session is limited")
      let idle: Int64 = try await pool.query(
        Statement(
          """
          SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%-lanes' AND datname = current_database()
          """)
      ).single().value(0)
      #expect(idle == 1)
    }
  }

  @Test func `places are written together with what else a transaction does, and read by the next holder`() async throws
  {
    try await Self.withKeepers(1) { keepers, pool in
      try await Self.until("all lanes", pool) { Self.haveAll(keepers, atMost: 16) }
      var moved = keepers[0].places.values.sorted { $0.lane < $1.lane }
      for index in moved.indices { (moved[index].stream, moved[index].sequence) = ("then", Int64(index) + 100) }
      let written = try await pool.execute(LaneTable.advance(moved))
      try LaneTable.check(written, against: moved)
      keepers[0].advanced(to: moved)
      #expect(keepers[0].places[3]?.sequence == 103)
      keepers[0].lost(moved)
      #expect(keepers[0].places.isEmpty)
      try await Self.until("had again", pool) { Self.haveAll(keepers, atMost: 16) }
      #expect(keepers[0].places[3]?.sequence == 103 && keepers[0].places[3]?.stream == "then")
    }
  }
}
