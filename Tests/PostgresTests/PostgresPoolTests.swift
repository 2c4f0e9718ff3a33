import EventLoop
@testable import Postgres
import TestSupport
import Testing

@Suite struct PostgresPoolTests {
  private static let createItems = Statement(
    "CREATE TABLE items (id bigint PRIMARY KEY, name text NOT NULL UNIQUE)")
  private static func insert(_ id: Int64, _ name: String) -> Statement {
    Statement("INSERT INTO items VALUES ($1, $2)", id, name)
  }
  private static let count = Statement("SELECT count(*) FROM items")

  @Test func `a thousand reads at once are pipelined, each with its own answer`() async throws {
    try await withPool { pool in
      try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<1_000 as Range<Int64> {
          group.addTask {
            try await pool.query(Statement("SELECT $1 * 2", number)).single().value(0) == number * 2
          }
        }
        for try await isRight in group { #expect(isRight) }
      }
      #expect(pool.statistics.statements >= 1_000)
      #expect(pool.statistics.syncs < 100)
    }
  }

  @Test func `a read that fails takes no neighbour with it`() async throws {
    try await withPool { pool in
      let good = (0..<20).map { pool.send(Statement("SELECT 10 / $1", Int64($0 + 1))) }
      let bad = pool.send(Statement("SELECT 10 / $1", 0 as Int64))
      let unprepared = pool.send(Statement("SELECT no_such_column"))
      let later = (0..<20).map { pool.send(Statement("SELECT 20 / $1", Int64($0 + 1))) }
      for (index, reply) in good.enumerated() {
        let quotient = try await reply.rows().single().value(0, as: Int64.self)
        #expect(quotient == Int64(10 / (index + 1)))
      }
      for (index, reply) in later.enumerated() {
        let quotient = try await reply.rows().single().value(0, as: Int64.self)
        #expect(quotient == Int64(20 / (index + 1)))
      }
      #expect(await failure(of: { try await bad.rows() })?.sqlState == "22012")
      #expect(await failure(of: { try await unprepared.rows() })?.sqlState == "42703")
      #expect(pool.statistics.resent > 0)
    }
  }

  @Test func `statements executed together all fail when one does`() async throws {
    try await withPool { pool in
      try await pool.execute(Self.createItems)
      let error = await failure(of: {
        try await pool.execute([Self.insert(1, "a"), Self.insert(2, "a"), Self.insert(3, "c")])
      })
      #expect(error?.isUniqueViolation(of: "items_name_key") == true)
      #expect(try await pool.query(Self.count).single().value(0) == 0 as Int64)
      let results = try await pool.execute([Self.insert(1, "a"), Self.insert(2, "b")])
      #expect(results.map(\.affected) == [1, 1])
    }
  }

  @Test func `a transaction that decides between statements is two round trips`() async throws {
    // One connection: others that come up meanwhile would be counted too.
    try await withPool({ $0.connectionCount = 1 }) { pool in
      try await pool.execute(Self.createItems)
      func settle(_ id: Int64) async throws {
        try await pool.withTransaction { transaction in
          transaction.send(Self.insert(id, "first \(id)"))
          let before: Int64 = try await transaction.query(Self.count).single().value(0)
          transaction.send(Self.insert(id + 1, "second \(id)"))
          transaction.send(Statement("UPDATE items SET name = name || $2 WHERE id = $1", id, " of \(before)"))
        }
      }
      let syncs = pool.statistics.syncs
      try await settle(1)
      #expect(pool.statistics.syncs - syncs == 2)
      let row = try await pool.query(Statement("SELECT name FROM items WHERE id = $1", 1 as Int64)).single()
      #expect(try row.value(0) == "first 1 of 1")
    }
  }

  @Test func `a transaction rolls back when its body throws`() async throws {
    struct Refused: Error {}
    try await withPool { pool in
      try await pool.execute(Self.createItems)
      await #expect(throws: Refused.self) {
        try await pool.withTransaction { transaction in
          _ = try await transaction.query(Self.insert(1, "a"))
          transaction.send(Self.insert(2, "b"))
          throw Refused()
        }
      }
      #expect(try await pool.query(Self.count).single().value(0) == 0 as Int64)
    }
  }

  @Test func `a failure nobody waited for is thrown by the commit`() async throws {
    try await withPool { pool in
      try await pool.execute(Self.createItems)
      let duplicate = await failure(of: {
        try await pool.withTransaction { transaction in
          transaction.send(Self.insert(1, "a"))
          transaction.send(Self.insert(1, "b"))
        }
      })
      #expect(duplicate?.isUniqueViolation(of: "items_pkey") == true)
      let swallowed = await failure(of: {
        try await pool.withTransaction { transaction in
          _ = try? await transaction.query(Statement("SELECT 1 / $1", 0 as Int32))
          transaction.send(Self.insert(2, "b"))
        }
      })
      #expect(swallowed?.sqlState == "22012")
      #expect(try await pool.query(Self.count).single().value(0) == 0 as Int64)
    }
  }

  @Test func `a constraint that the commit checks fails the transaction`() async throws {
    try await withPool { pool in
      try await pool.execute(
        Statement("CREATE TABLE pairs (id bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
      let insert = Statement("INSERT INTO pairs VALUES ($1)", 1 as Int64)
      #expect(await failure(of: { try await pool.execute([insert, insert]) })?.isUniqueViolation() == true)
      let explicit = await failure(of: {
        try await pool.withTransaction { transaction in
          transaction.send(insert)
          transaction.send(insert)
        }
      })
      #expect(explicit?.isUniqueViolation() == true)
      #expect(try await pool.query(Statement("SELECT count(*) FROM pairs")).single().value(0) == 0 as Int64)
    }
  }

  @Test func `reads go on while every other connection is in a transaction`() async throws {
    try await withPool { pool in
      try await withThrowingTaskGroup(of: Void.self) { group in
        let entered = Locked(0)
        for _ in 0..<6 {
          group.addTask {
            try await pool.withTransaction { transaction in
              entered.withLock { $0 += 1 }
              _ = try await transaction.query(Statement("SELECT pg_sleep(0.05)::text"))
              let answer: Int32 = try await pool.query(Statement("SELECT 7")).single().value(0)
              #expect(answer == 7)
            }
          }
        }
        try await group.waitForAll()
        #expect(entered.withLock { $0 } == 6)
      }
    }
  }

  @Test func `requests beyond the line are refused, those in it wait until their deadline`() async throws {
    try await withPool({
      $0.connectionCount = 1
      $0.waitingMax = 2
    }) { pool in
      try await pool.withTransaction { transaction in
        _ = try await transaction.query(Statement("SELECT 1"))
        let now = pool.loop.now
        let patient = pool.send(Statement("SELECT 1"))
        let hasty = pool.send(Statement("SELECT 1"), deadline: now + .milliseconds(20))
        let third = pool.send(Statement("SELECT 1"))
        #expect(await failure(of: { try await third.rows() })?.code == .overloaded)
        #expect(await failure(of: { try await hasty.rows() })?.code == .deadlineExceeded)
        #expect(!patient.isAnswered)
        #expect(pool.health.waiting == 1)
      }
      #expect(pool.health.waiting == 0)
    }
  }

  @Test func `a statement is stopped after its time`() async throws {
    try await withPool({ $0.statementMax = .milliseconds(50) }) { pool in
      #expect(await failure(of: { try await pool.query(Statement("SELECT pg_sleep(10)::text")) })?.code == .timeout)
    }
  }

  @Test func `a line that does not move is not joined`() async throws {
    try await withPool({
      $0.connectionCount = 2
      $0.linePatience = .milliseconds(50)
    }) { pool in
      try await pool.withTransaction { transaction in
        _ = try await transaction.query(Statement("SELECT 1"))
        let waiting = pool.loop.startTask {
          _ = try? await pool.withTransaction { try await $0.query(Statement("SELECT 1")) }
        }
        try await pool.loop.sleep(for: .milliseconds(100))
        let error = await failure(of: { try await pool.withTransaction { try await $0.query(Statement("SELECT 1")) } })
        #expect(error?.code == .overloaded)
        waiting.cancel()
      }
    }
  }
}
