import EventLoop
import Foundation
@testable import Postgres
import TestSupport
import Testing

@Suite struct MigrationsTests {
  private static let first = (name: "0001_first.sql", text: "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1), (2);")
  private static let second = (name: "0002_second.sql", text: "-- naïve\nINSERT INTO a VALUES (3); CREATE TABLE b ();")

  private func apply(_ files: [(name: String, text: String)], to url: String) async throws -> [String] {
    let migrations = try Migrations(files: files)
    return try await onLoop { loop in
      try await migrations.apply(loop: loop, configuration: PostgresConfiguration(url: url))
    }
  }

  private func count(_ url: String) async throws -> Int64 {
    try await onLoop { loop in
      let connection = try await PostgresConnection.connect(loop: loop, configuration: PostgresConfiguration(url: url))
      defer { connection.close() }
      return try await connection.query(Statement("SELECT count(*) FROM a")).single().value(0)
    }
  }

  private func message(_ body: () async throws -> Void) async -> String {
    do { try await body() } catch let error as PostgresError {
      return error.code == .migration ? error.message : "other: \(error.message)"
    } catch {}
    return "no error"
  }

  @Test func `files are applied in order, once`() async throws {
    let url = try TestDatabase.make("migrations")
    #expect(try await apply([Self.second, Self.first], to: url) == [Self.first.name, Self.second.name])
    #expect(try await apply([Self.first, Self.second], to: url) == [])
    #expect(try await count(url) == 3)
  }

  @Test func `a file that was applied must not change`() async throws {
    let url = try TestDatabase.make("migrations")
    _ = try await apply([Self.first], to: url)
    let changed = (Self.first.name, Self.first.text + " ")
    let text = await message { _ = try await apply([changed, Self.second], to: url) }
    #expect(text.hasPrefix("0001_first.sql was changed"))
    let renamed = ("0001_other.sql", Self.first.text)
    let other = await message { _ = try await apply([renamed], to: url) }
    #expect(other.contains("the database has 0001_first.sql"))
  }

  @Test func `a database ahead of the files is left alone`() async throws {
    let url = try TestDatabase.make("migrations")
    _ = try await apply([Self.first, Self.second], to: url)
    #expect(try await apply([Self.first], to: url) == [])
  }

  @Test func `a file that fails leaves nothing behind, and those before it stay`() async throws {
    let url = try TestDatabase.make("migrations")
    let broken = (Self.second.name, "INSERT INTO a VALUES (4); INSERT INTO nowhere VALUES (1);")
    let text = await message { _ = try await apply([Self.first, broken], to: url) }
    #expect(text.hasPrefix("0002_second.sql: relation \"nowhere\" does not exist"))
    #expect(try await count(url) == 2)
    #expect(try await apply([Self.first, Self.second], to: url) == [Self.second.name])
  }

  @Test func `two migrators at once apply each file once`() async throws {
    let url = try TestDatabase.make("migrations")
    let slow = (Self.first.name, Self.first.text + "SELECT pg_sleep(0.2);")
    async let one = apply([slow, Self.second], to: url)
    async let other = apply([slow, Self.second], to: url)
    let counts = try await [one.count, other.count]
    #expect(counts.sorted() == [0, 2])
    #expect(try await count(url) == 3)
  }

  @Test func `a migrator that waits for another, or for a lock, ends when it is told to`() async throws {
    let url = try TestDatabase.make("migrations")
    _ = try await apply([Self.first], to: url)
    try await onLoop { loop in
      let configuration = PostgresConfiguration(url: url)
      let other = try await PostgresConnection.connect(loop: loop, configuration: configuration)
      let observer = try await PostgresConnection.connect(loop: loop, configuration: configuration)
      defer {
        other.close()
        observer.close()
      }
      let lock: Int64 = 0x676f_7a6f_6e00
      _ = try await other.query(Statement("SELECT pg_advisory_lock($1)", lock))
      #expect(try await isStopped(loop, configuration, observer))
      _ = try await other.query(Statement("SELECT pg_advisory_unlock($1)", lock))
      try await other.withTransaction { transaction in
        _ = try await transaction.query(Statement("LOCK TABLE a"))
        #expect(try await isStopped(loop, configuration, observer))
      }
    }
    #expect(try await apply([Self.first, Self.second], to: url) == [Self.second.name])
  }

  /// Whether a migrator that has to wait ends when its task is cancelled, with all that it ran at the server.
  private func isStopped(
    _ loop: EventLoop, _ configuration: PostgresConfiguration, _ observer: PostgresConnection
  ) async throws -> Bool {
    let waiting = Statement(
      """
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND (wait_event_type = 'Lock' OR query LIKE 'SELECT pg_try_advisory%')
      """)
    func until(_ count: Int64) async throws {
      for _ in 0..<1_000 {
        if try await observer.query(waiting).single().value(0) == count { return }
        try await loop.sleep(for: .milliseconds(5))
      }
      Issue.record("not \(count) migrators wait")
    }
    let migrations = try Migrations(files: [Self.first, (Self.second.name, "ALTER TABLE a ADD b int;")])
    let migrator = Task.immediate(executorPreference: loop.taskExecutor) {
      try await migrations.apply(loop: loop, configuration: configuration)
    }
    try await until(1)
    migrator.cancel()
    let result = await migrator.result
    try await until(0)
    switch result {
    case .success: return false
    case .failure(let error): return error is CancellationError || (error as? PostgresError)?.code == .cancelled
    }
  }

  @Test func `names and numbers must be in order`() async throws {
    func refusal(_ names: String...) async -> String {
      await message { _ = try Migrations(files: names.map { ($0, "") }) }
    }
    #expect(await refusal("0001_a.sql", "0003_b.sql").hasPrefix("0003_b.sql does not follow 0001_a.sql"))
    #expect(await refusal("0002_a.sql").hasPrefix("0002_a.sql does not follow"))
    #expect(await refusal("0001_a.sql", "0001_b.sql") == "0001_b.sql has the number of 0001_a.sql")
    for name in ["1_a.sql", "00001_a.sql", "000x_a.sql", "0001.sql", "0001_a.txt", "+001_a.sql"] {
      #expect(await refusal(name).contains("is not named like"))
    }
  }

  @Test func `a directory's other files are ignored`() throws {
    let name = "migrations-\(UInt32.random(in: 0...(.max)))"
    let directory = FileManager.default.temporaryDirectory.appending(path: name)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    for (name, text) in [Self.first, Self.second, ("README.md", "no")] {
      try Data(text.utf8).write(to: directory.appending(path: name))
    }
    let migrations = try Migrations(directory: directory.path)
    #expect(migrations.files.map(\.name) == [Self.first.name, Self.second.name])
    #expect(migrations.files.map(\.text) == [Self.first.text, Self.second.text])
    #expect(throws: PostgresError.self) { try Migrations(directory: directory.path + "/none") }
  }
}
