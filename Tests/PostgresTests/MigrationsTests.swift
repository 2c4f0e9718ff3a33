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
