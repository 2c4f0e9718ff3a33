import EventLoop
import TestSupport
import Testing

@testable import Postgres

/// Callers that give up, at every stage of their statements, and their neighbours, who must not notice.
@Suite struct CancellationTests {
  /// Runs `body` with a pool, and a connection beside it that sees what the server does.
  private func withWatchedPool(
    connections: Int = 1, _ change: @escaping @Sendable (inout PostgresConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (PostgresPool, Observer) async throws -> Void
  ) async throws {
    try await withPool({
      $0.connectionCount = connections
      change(&$0)
    }) { pool in
      let connection = try await PostgresConnection.connect(loop: pool.loop, configuration: pool.configuration)
      defer { connection.close() }
      while pool.health.connected < connections { try await pool.loop.sleep(for: .milliseconds(1)) }
      try await body(pool, Observer(connection: connection))
    }
  }

  private struct Observer {
    let connection: PostgresConnection

    /// Returns when so many statements run at the server, or wait for locks.
    func until(running count: Int64) async throws {
      let running = Statement(
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'
        """)
      var last = -1 as Int64
      for _ in 0..<2_000 {
        last = try await connection.query(running).single().value(0)
        if last == count { return }
        try await connection.loop.sleep(for: .milliseconds(2))
      }
      Issue.record("\(last) statements run, not \(count)")
    }
  }

  private static let sleep = Statement("SELECT pg_sleep(30)::text")
  private static let createItems = Statement("CREATE TABLE items (id bigint PRIMARY KEY)")
  private static func insert(_ id: Int64) -> Statement { Statement("INSERT INTO items VALUES ($1)", id) }
  private static let count = Statement("SELECT count(*) FROM items")

  private func start<R: Sendable>(
    _ loop: EventLoop, _ work: @escaping @Sendable () async throws -> R
  ) -> Task<R, any Error> {
    Task.immediate(executorPreference: loop.taskExecutor) { try await work() }
  }

  private func code<R>(of task: Task<R, any Error>) async -> PostgresError.Code? {
    await failure(of: { try await task.value })?.code
  }

  @Test func `a read that runs is stopped at the server, and its caller waits for nothing`() async throws {
    try await withWatchedPool { pool, observer in
      let read = start(pool.loop) { try await pool.query(Self.sleep) }
      try await observer.until(running: 1)
      read.cancel()
      #expect(await code(of: read) == .cancelled)
      try await observer.until(running: 0)
      #expect(try await pool.query(Statement("SELECT 1")).single().value(0) == 1 as Int32)
      #expect(pool.statistics.cancels >= 1 && pool.slots[0].connection?.load == 0)
    }
  }

  @Test func `neighbours of a read that is stopped get their own answers`() async throws {
    try await withWatchedPool { pool, observer in
      try await pool.execute(Self.createItems)
      let before = (0..<5 as Range<Int64>).map { pool.send(Statement("SELECT $1 * 2", $0)) }
      let read = start(pool.loop) { try await pool.query(Self.sleep) }
      let after = (0..<5 as Range<Int64>).map { pool.send(Statement("SELECT $1 * 3", $0)) }
      let write = start(pool.loop) { try await pool.execute(Self.insert(1)) }
      try await observer.until(running: 1)
      let later = start(pool.loop) {
        try await pool.withTransaction { transaction in
          transaction.send(Self.insert(2))
          return try await transaction.query(Self.count).single().value(0, as: Int64.self)
        }
      }
      read.cancel()
      #expect(await code(of: read) == .cancelled)
      for (index, reply) in before.enumerated() {
        #expect(try await reply.rows().single().value(0) == Int64(index * 2))
      }
      for (index, reply) in after.enumerated() {
        #expect(try await reply.rows().single().value(0) == Int64(index * 3))
      }
      _ = try await write.value
      #expect(try await later.value == 2)
    }
  }

  @Test func `a read that waits to be parsed behind a lock is stopped too`() async throws {
    try await withWatchedPool { pool, observer in
      try await pool.execute(Self.createItems)
      let holder = try await PostgresConnection.connect(loop: pool.loop, configuration: pool.configuration)
      defer { holder.close() }
      try await holder.withTransaction { transaction in
        _ = try await transaction.query(Statement("LOCK TABLE items IN ACCESS EXCLUSIVE MODE"))
        let read = start(pool.loop) { try await pool.query(Self.count) }
        try await observer.until(running: 1)
        read.cancel()
        #expect(await code(of: read) == .cancelled)
        #expect(try await pool.query(Statement("SELECT 1")).single().value(0) == 1 as Int32)
        try await observer.until(running: 0)
      }
      #expect(try await pool.query(Self.count).single().value(0) == 0 as Int64)
    }
  }

  @Test func `what is cancelled in the turn that queued it is never sent`() async throws {
    try await withWatchedPool { pool, _ in
      try await pool.execute(Self.createItems)
      let statements = pool.statistics.statements
      let read = start(pool.loop) { _ = try await pool.query(Statement("SELECT 1")) }
      let write = start(pool.loop) { _ = try await pool.execute([Self.insert(1), Self.insert(2)]) }
      let transaction = start(pool.loop) {
        try await pool.withTransaction { _ = try await $0.query(Self.insert(3)) }
      }
      for task in [read, write, transaction] { task.cancel() }
      for task in [read, write, transaction] { #expect(await code(of: task) == .cancelled) }
      #expect(pool.statistics.statements == statements)
      #expect(pool.slots[0].connection?.load == 0 && !pool.slots[0].isLeased)
      #expect(try await pool.query(Self.count).single().value(0) == 0 as Int64)
    }
  }

  @Test func `what waits for a connection leaves the line at once`() async throws {
    try await withWatchedPool { pool, _ in
      try await pool.execute(Self.createItems)
      try await pool.withTransaction { transaction in
        _ = try await transaction.query(Statement("SELECT 1"))
        let tasks = (0..<300).map { number in
          start(pool.loop) {
            switch number % 3 {
            case 0: _ = try await pool.query(Statement("SELECT 1"))
            case 1: _ = try await pool.execute(Self.insert(Int64(number)))
            default: try await pool.withTransaction { _ = try await $0.query(Self.insert(Int64(number))) }
            }
          }
        }
        let patient = pool.send(Statement("SELECT 5"))
        #expect(pool.health.waiting == 301)
        for task in tasks { task.cancel() }
        for task in tasks { #expect(await code(of: task) == .cancelled) }
        #expect(pool.health.waiting == 1 && !patient.isAnswered)
      }
      #expect(try await pool.query(Self.count).single().value(0) == 0 as Int64)
    }
  }

  @Test func `a transaction is stopped and rolled back, and its connection serves the next`() async throws {
    try await withWatchedPool { pool, observer in
      try await pool.execute(Self.createItems)
      let work = start(pool.loop) {
        try await pool.withTransaction { transaction in
          _ = try await transaction.query(Self.insert(1))
          transaction.send(Self.insert(2))
          _ = try await transaction.query(Self.sleep)
        }
      }
      try await observer.until(running: 1)
      work.cancel()
      #expect(await code(of: work) == .cancelled)
      try await observer.until(running: 0)
      #expect(!pool.slots[0].isLeased)
      try await pool.withTransaction { _ = try await $0.query(Self.insert(1)) }
      #expect(try await pool.query(Self.count).single().value(0) == 1 as Int64)
      #expect(pool.lastError == nil)
    }
  }

  @Test func `a write that was sent is done, and its caller learns so`() async throws {
    try await withWatchedPool { pool, observer in
      try await pool.execute(Self.createItems)
      let slowly = Statement("INSERT INTO items SELECT 1 FROM pg_sleep(0.2)")
      let write = start(pool.loop) { try await pool.execute(slowly).affected }
      try await observer.until(running: 1)
      write.cancel()
      #expect(try await write.value == 1)
      #expect(pool.statistics.cancels == 0)
    }
  }

  @Test func `thousands who give up at every stage leave nothing behind and harm nobody`() async throws {
    try await withWatchedPool(connections: 4) { pool, observer in
      try await pool.execute(Self.createItems)
      var random = SeededRandom(seed: 7)
      let done = Locked(0)
      for round in 0..<10 {
        let tasks = (0..<300).map { number in
          start(pool.loop) {
            defer { done.withLock { $0 += 1 } }
            let id = Int64(round * 1_000 + number)
            switch number % 10 {
            case 0: _ = try await pool.query(Self.sleep)
            case 1: try await pool.withTransaction { _ = try await $0.query(Self.sleep) }
            case 2, 3: _ = try await pool.query(Statement("SELECT pg_sleep(0.001)::text"))
            case 4, 5: _ = try await pool.execute(Self.insert(id))
            case 6: try await pool.withTransaction { _ = try await $0.query(Self.insert(id)) }
            default: _ = try await pool.query(Statement("SELECT 1"))
            }
          }
        }
        let innocents = (0..<20 as Range<Int64>).map { number in
          start(pool.loop) {
            if number % 2 == 0 {
              return Int64(try await pool.execute(Self.insert(-Int64(round) * 20 - number)).affected)
            }
            return try await pool.query(Statement("SELECT $1 - $1 + 1", number)).single().value(0)
          }
        }
        for task in tasks {
          if random.next() % 8 == 0 { try await pool.loop.sleep(for: .milliseconds(1)) }
          task.cancel()
        }
        for innocent in innocents {
          let answer: Int64 = try await innocent.value
          #expect(answer == 1)
        }
        for task in tasks { _ = await task.result }
      }
      try await observer.until(running: 0)
      #expect(done.withLock { $0 } == 10 * 300)
      let written = try await pool.query(Statement("SELECT count(*) FROM items WHERE id <= 0")).single().value(
        0, as: Int64.self)
      #expect(written == 10 * 10)
      #expect(pool.health.waiting == 0 && pool.lastError == nil)
      #expect(
        pool.slots.allSatisfy { !$0.isLeased && $0.connection?.load == 0 && $0.connection?.queue.isEmpty == true })
    }
  }

  // MARK: Deadlines

  @Test func `a statement whose time is up is never sent`() async throws {
    try await withWatchedPool { pool, _ in
      try await pool.execute(Self.createItems)
      let statements = pool.statistics.statements
      let past = pool.loop.now
      #expect(await failure(of: { try await pool.query(Self.count, deadline: past) })?.code == .deadlineExceeded)
      #expect(await failure(of: { try await pool.execute(Self.insert(1), deadline: past) })?.code == .deadlineExceeded)
      let connection = pool.slots[0].connection!
      #expect(await failure(of: { try await connection.query(Self.count, deadline: past) })?.code == .deadlineExceeded)
      let lost = await failure(of: {
        try await connection.withTransaction(deadline: past) { _ = try await $0.query(Self.insert(2)) }
      })
      #expect(lost?.code == .deadlineExceeded && pool.statistics.statements == statements)
    }
  }

  @Test func `a transaction whose time runs out does not commit`() async throws {
    try await withWatchedPool { pool, _ in
      try await pool.execute(Self.createItems)
      let error = await failure(of: {
        try await pool.withTransaction(deadline: pool.loop.now + .milliseconds(30)) { transaction in
          _ = try await transaction.query(Self.insert(1))
          try await pool.loop.sleep(for: .milliseconds(40))
        }
      })
      #expect(error?.code == .deadlineExceeded)
      #expect(try await pool.query(Self.count).single().value(0) == 0 as Int64)
    }
  }

  @Test func `the server stops a statement soon after its deadline even if nobody cancels it`() async throws {
    try await withWatchedPool { pool, observer in
      let read = await failure(of: { try await pool.query(Self.sleep, deadline: pool.loop.now + .milliseconds(30)) })
      #expect(read?.code == .deadlineExceeded)
      let write = await failure(of: {
        try await pool.execute([Self.sleep], deadline: pool.loop.now + .milliseconds(30))
      })
      #expect(write?.code == .deadlineExceeded)
      let transaction = await failure(of: {
        try await pool.withTransaction(deadline: pool.loop.now + .milliseconds(300)) { transaction in
          _ = try await transaction.query(Statement("SELECT 1"))
          try await pool.loop.sleep(for: .milliseconds(260))
          _ = try await transaction.query(Self.sleep)
        }
      })
      #expect(transaction?.code == .deadlineExceeded)
      try await observer.until(running: 0)
      // The last transaction's own setting went with it.
      let setting: String = try await pool.query(Statement("SHOW statement_timeout")).single().value(0)
      #expect(setting == "10s")
    }
  }

  @Test func `a statement that is stopped before its deadline was not stopped for its deadline`() async throws {
    try await withWatchedPool(connections: 1, { $0.statementMax = .milliseconds(50) }) { pool, _ in
      let deadline = pool.loop.now + .seconds(60)
      #expect(await failure(of: { try await pool.query(Self.sleep, deadline: deadline) })?.code == .timeout)
      #expect(await failure(of: { try await pool.execute(Self.sleep, deadline: deadline) })?.code == .timeout)
    }
  }

  @Test func `the usual deadline costs no statement`() async throws {
    try await withWatchedPool { pool, _ in
      try await pool.execute(Self.createItems)
      let before = pool.statistics
      for id in 0..<10 as Range<Int64> {
        let deadline = pool.loop.now + .seconds(10)
        _ = try await pool.query(Statement("SELECT 1"), deadline: deadline)
        _ = try await pool.execute(Self.insert(id), deadline: deadline)
        try await pool.withTransaction(deadline: deadline) { transaction in
          _ = try await transaction.query(Self.count)
          transaction.send(Self.insert(id + 100))
        }
      }
      #expect(pool.statistics.timeoutChanges == before.timeoutChanges)
      #expect(pool.statistics.statements - before.statements == 10 * (1 + 1 + 4))
      #expect(pool.statistics.syncs - before.syncs == 10 * (1 + 1 + 2))
    }
  }

  @Test func `callers with about the same deadline share one change of the session`() async throws {
    try await withWatchedPool { pool, _ in
      let before = pool.statistics.timeoutChanges
      for number in 0..<20 as Range<Int64> {
        let deadline = pool.loop.now + .milliseconds(3_000 + 50 * Int(number))
        async let other = pool.query(Statement("SELECT 1"), deadline: deadline + .milliseconds(-500))
        let rows = try await pool.query(Statement("SHOW statement_timeout"), deadline: deadline)
        #expect(try rows.single().value(0) == "5s")
        _ = try await other
      }
      #expect(pool.statistics.timeoutChanges == before + 1)
    }
  }
}
