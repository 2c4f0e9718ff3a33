import EventLoop
import Postgres
import TestSupport
import Testing

@testable import Idempotency

@Suite struct KeySweeperTests {
  @Test(arguments: ["orders", "payments"])
  func `keys are kept for a day at least, and leave nothing behind then`(service: String) async throws {
    try await KeyScene.with(service) { scene in
      let sweeper = scene.sweeper
      func known() async throws -> [String] {
        var known: [String] = []
        for key in ["monday", "midnight", "tuesday", "wednesday"] where try await scene.response(key) == [7] {
          known.append(key)
        }
        return known
      }
      func sweep(at time: String) async throws -> Int {
        try await scene.setClock(time)
        return try await sweeper.sweep()
      }
      for (key, time) in [
        ("monday", "2026-03-02 23:59:59Z"), ("midnight", "2026-03-03 00:00:01Z"), ("tuesday", "2026-03-03 12:00:00Z"),
      ] {
        #expect(try await sweep(at: time) == 0)
        try await scene.insert([key])
      }
      // A day later and a bit, Monday's slot may go; whatever came on Tuesday may not.
      #expect(try await sweep(at: "2026-03-04 00:59:59Z") == 0)
      #expect(try await known() == ["monday", "midnight", "tuesday"])
      try await scene.insert(["wednesday"])
      #expect(try await sweep(at: "2026-03-04 01:00:01Z") == 1)
      #expect(try await known() == ["midnight", "tuesday", "wednesday"])
      #expect(try await sweep(at: "2026-03-04 12:00:00Z") == 0, "it is empty")
      // Monday was day 20514 of the epoch.
      let size: Int64 = try await scene.pool.query(
        Statement("SELECT pg_relation_size('idempotency_keys_0')")
      ).single().value(0)
      #expect(size == 0)
      // Nothing goes that may be written within the hour.
      #expect(try await sweep(at: "2026-03-04 23:00:00Z") == 0)
      #expect(try await sweep(at: "2026-03-05 02:00:00Z") == 1)
      #expect(try await known() == ["wednesday"])
      #expect(try await sweep(at: "2026-03-06 02:00:00Z") == 1)
      #expect(try await known() == [])
    }
  }

  @Test func `all through a month, a key of yesterday is there, and one of three days ago is not`() async throws {
    try await KeyScene.with { scene in
      let sweeper = scene.sweeper
      for hour in stride(from: 0, to: 700, by: 7) {
        try await scene.setClock("2026-03-\(1 + hour / 24) \(hour % 24):00:00Z")
        _ = try await sweeper.sweep()
        try await scene.insert(["\(hour)"])
        for earlier in stride(from: max(0, hour - 98), through: hour, by: 7) {
          let age = hour - earlier
          let isKnown = try await scene.response("\(earlier)") != nil
          if age <= 24 { #expect(isKnown, "\(age) hours old") }
          if age > 72 { #expect(!isKnown, "\(age) hours old") }
        }
      }
    }
  }

  @Test func `a table that is held is left alone, and holds up nobody`() async throws {
    try await KeyScene.with { scene in
      try await scene.setClock("2026-03-01 12:00:00Z")
      try await scene.insert(["old"])
      try await scene.setClock("2026-03-03 12:00:00Z")
      let sweeper = scene.sweeper
      // As pg_dump does while it runs.
      try await scene.pool.withTransaction { transaction in
        _ = try await transaction.query(Statement("LOCK TABLE idempotency_keys IN ACCESS SHARE MODE"))
        async let sweeping = #expect(throws: PostgresError.self) { try await sweeper.sweep() }
        try await scene.insert(["new"])
        #expect(await sweeping?.sqlState == .lockNotAvailable)
      }
      #expect(try await scene.response("old") == [7])
      #expect(try await sweeper.sweep() == 1)
      #expect(try await scene.response("old") == nil)
      #expect(try await scene.response("new") == [7])
    }
  }

  @Test func `replicas that sweep at once do it once, and it ends when it is told to`() async throws {
    try await KeyScene.with { scene in
      try await scene.setClock("2026-03-01 12:00:00Z")
      try await scene.insert(["old"])
      try await scene.setClock("2026-03-03 12:00:00Z")
      let sweepers = [scene.sweeper, scene.sweeper, scene.sweeper]
      try await withThrowingTaskGroup { group in
        for sweeper in sweepers { group.addTask { await sweeper.run() } }
        while try await scene.response("old") != nil { try await scene.pool.loop.sleep(for: .milliseconds(2)) }
        for sweeper in sweepers { sweeper.beginGracefulShutdown() }
        try await group.waitForAll()
      }
    }
  }
}
