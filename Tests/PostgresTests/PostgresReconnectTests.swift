import EventLoop
@testable import Postgres
import TestSupport
import Testing

@Suite struct PostgresReconnectTests {
  /// Runs `body` with a running pool, and a connection of which the pool does not know.
  private func withPool(
    _ body: @escaping @Sendable (PostgresPool, PostgresConnection) async throws -> Void
  ) async throws {
    var configuration = PostgresConfiguration(url: try TestDatabase.make("reconnect"))
    configuration.applicationName = "victim"
    let final = configuration
    try await onLoop { loop in
      var other = final
      other.applicationName = "killer"
      let killer = try await PostgresConnection.connect(loop: loop, configuration: other)
      defer { killer.close() }
      let pool = PostgresPool(loop: loop, configuration: final)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await pool.run() }
        group.addTask {
          defer { pool.beginClosing() }
          try await body(pool, killer)
        }
        try await group.waitForAll()
      }
    }
  }

  /// Ends every session of the pool that is at work on `text` — or all of them — once there is one.
  private static func kill(_ text: String, by killer: PostgresConnection, on loop: EventLoop) async throws {
    for _ in 0..<500 {
      let killed = try await killer.query(
        Statement(
          """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'victim' AND query LIKE $1
            AND (state = 'active' OR $1 = '%')
          """, text))
      if !killed.isEmpty { return }
      try await loop.sleep(for: .milliseconds(10))
    }
    Issue.record("nobody to terminate")
  }

  @Test func `what is in flight fails when its connection is lost, and the pool goes on`() async throws {
    try await withPool { pool, killer in
      for _ in 0..<3 {
        let read = pool.send(Statement("SELECT pg_sleep(30)::text"))
        try await Self.kill("%pg_sleep%", by: killer, on: pool.loop)
        #expect(await failure(of: { try await read.rows() })?.code == .connectionLost)
        try await Self.kill("%", by: killer, on: pool.loop)
        // Until the pool has noticed, a read may still go to a connection that is dead.
        var answer: Int32?
        for _ in 0..<500 where answer == nil {
          answer = try? await pool.query(Statement("SELECT 7")).single().value(0)
          try await pool.loop.sleep(for: .milliseconds(5))
        }
        #expect(answer == 7)
        #expect(pool.health.lastError != nil)
      }
    }
  }

  @Test func `a statement on its own whose connection is lost has an unknown outcome`() async throws {
    try await withPool { pool, killer in
      async let outcome = failure(of: { try await pool.execute(Statement("SELECT pg_sleep(30)::text")) })
      try await Self.kill("%pg_sleep%", by: killer, on: pool.loop)
      #expect(await outcome?.code == .unknownOutcome)
    }
  }

  @Test func `a connection lost during COMMIT leaves the outcome unknown, before it does not`() async throws {
    try await withPool { pool, killer in
      try await killer.run(
        script: """
          CREATE TABLE t (id int);
          CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_sleep(30); RETURN NULL; END $$;
          CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION slow();
          """)
      async let committing = failure(of: {
        try await pool.withTransaction { transaction in
          _ = try await transaction.query(Statement("INSERT INTO t VALUES (1)"))
        }
      })
      try await Self.kill("COMMIT", by: killer, on: pool.loop)
      #expect(await committing?.code == .unknownOutcome)
      async let working = failure(of: {
        try await pool.withTransaction { transaction in
          _ = try await transaction.query(Statement("SELECT pg_sleep(30)::text"))
        }
      })
      try await Self.kill("%pg_sleep%", by: killer, on: pool.loop)
      #expect(await working?.code == .connectionLost)
    }
  }

  @Test func `requests wait for the first connection, and the pool says why there is none`() async throws {
    try await onLoop { loop in
      var configuration = PostgresConfiguration(url: "postgresql://127.0.0.1:1/none")
      configuration.waitMax = .milliseconds(100)
      let pool = PostgresPool(loop: loop, configuration: configuration)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await pool.run() }
        #expect(await failure(of: { try await pool.query(Statement("SELECT 1")) })?.code == .timeout)
        #expect(pool.health.connected == 0)
        #expect(pool.health.lastError?.contains("refused") == true)
        group.cancelAll()
      }
      #expect(await failure(of: { try await pool.query(Statement("SELECT 1")) })?.code == .closed)
    }
  }

  @Test func `a database that is away is waited for a while, then nobody waits`() async throws {
    try await onLoop { loop in
      var configuration = PostgresConfiguration(url: "postgresql://127.0.0.1:1/none")
      configuration.outagePatience = .milliseconds(200)
      let pool = PostgresPool(loop: loop, configuration: configuration)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await pool.run() }
        let start = loop.now
        #expect(await failure(of: { try await pool.query(Statement("SELECT 1")) })?.code == .connectionLost)
        #expect((.milliseconds(150)...Duration.seconds(4)).contains(loop.now - start))
        let later = loop.now
        for _ in 0..<1_000 {
          #expect(await failure(of: { try await pool.execute(Statement("SELECT 1")) })?.code == .connectionLost)
        }
        #expect(loop.now - later < .milliseconds(200) && pool.health.waiting == 0)
        group.cancelAll()
      }
    }
  }

  @Test func `closing refuses what comes and finishes what was sent`() async throws {
    try await withPool { pool, _ in
      let read = pool.send(Statement("SELECT pg_sleep(0.1)::text"))
      while pool.health.connected == 0 { try await pool.loop.sleep(for: .milliseconds(1)) }
      try await pool.loop.sleep(for: .milliseconds(1))
      pool.beginClosing()
      #expect(await failure(of: { try await read.rows() })?.code == nil)
      #expect(await failure(of: { try await pool.query(Statement("SELECT 1")) })?.code == .closed)
    }
  }

  @Test func `cancelling fails what is in flight`() async throws {
    let configuration = PostgresConfiguration(url: try TestDatabase.make("reconnect"))
    try await onLoop { loop in
      let pool = PostgresPool(loop: loop, configuration: configuration)
      let error = await withTaskGroup(of: Void.self) { group in
        group.addTask { await pool.run() }
        let read = pool.send(Statement("SELECT pg_sleep(30)::text"))
        while pool.health.connected < pool.health.wanted { try? await loop.sleep(for: .milliseconds(1)) }
        group.cancelAll()
        return await failure(of: { try await read.rows() })
      }
      #expect(error?.code == .closed)
    }
  }

  @Test func `a server that owes an answer for too long is given up`() async throws {
    try await withPool { _, other in
      async let error = failure(of: { try await other.query(Statement("SELECT pg_sleep(30)::text")) })
      try await other.loop.sleep(for: .milliseconds(50))
      other.closeIfStalled(for: .seconds(10))
      #expect(other.isOpen)
      other.closeIfStalled(for: .milliseconds(10))
      #expect(await error?.code == .connectionLost)
    }
  }
}
