import JetStream
import JSON
import Testing

@testable import ClientTool

/// `gozon verify` on databases of its own.
@Suite struct VerifyTests {
  /// The checks that are broken, and what was found by each.
  private static func broken(_ run: Run) throws -> [String: [JSONValue]] {
    var broken: [String: [JSONValue]] = [:]
    for line in run.lines {
      let document = try JSONValue(parsing: Array(line.utf8).span)
      let name = try #require(document["check"]?.string)
      if document["holds"] != true { broken[name] = document["offending"]?.array }
    }
    return broken
  }

  @Test func `what the services leave behind holds`() async throws {
    let scene = try await BooksScene.make()
    // However slow the machine is, nothing in it has waited for so long.
    let run = await gozon("verify", "--stuck-after", "1h", environment: scene.environment)
    #expect(run.status == 0 && run.errors.isEmpty, "\(run)")
    #expect(run.lines.last == "all 12 checks hold")
    #expect(run.lines.count == 13 && run.lines.dropLast().allSatisfy { $0.hasPrefix("ok ") })
    let json = await gozon("verify", "--stuck-after", "1h", "--json", environment: scene.environment)
    #expect(json.lines.count == 12)
    #expect(try Self.broken(json).isEmpty)
  }

  @Test func `databases without anything in them hold`() async throws {
    let scene = try await BooksScene.makeEmpty()
    #expect(await gozon("verify", environment: scene.environment).status == 0)
  }

  /// In a few rows at once: each of them needs databases of its own, and the server has not that many sessions.
  @Test(arguments: 0..<6)
  func `what is broken is named`(row: Int) async throws {
    for (index, books) in BrokenBooks.all.enumerated() where index % 6 == row {
      let scene = try await BooksScene.make()
      for (database, script) in books.damage { try await scene.damage(database, script) }
      let run = await gozon("verify", "--json", environment: scene.environment)
      #expect(run.status == 1, "\(books.description): \(run)")
      let broken = try Self.broken(run)
      #expect(Set(broken.keys) == books.checks, "\(books.description): \(run.output)")
      let found = broken.values.joined().filter { $0["id"]?.string == books.id }
      let isTold = found.contains { $0["problem"]?.string?.contains(books.problem) == true }
      #expect(isTold, "\(books.description): \(run.output)")
    }
  }

  @Test func `no more is told of than asked for, and how much more there is`() async throws {
    let scene = try await BooksScene.make()
    try await scene.damage("orders", "UPDATE orders SET reason = 1 WHERE status = 2")
    let run = await gozon("verify", "--limit", "1", environment: scene.environment)
    #expect(run.status == 1 && run.lines.last == "1 of 12 checks is broken: timelines")
    let place = try #require(run.lines.firstIndex { $0.hasPrefix("BROKEN  timelines") })
    #expect(run.lines[place + 1].contains("order 00000000-0000-7000-8000-"), "\(run.output)")
    #expect(run.lines[place + 1].hasSuffix("has a reason (1), and is not CANCELLED"))
    #expect(run.lines[place + 2].hasSuffix("… and 2 more"))
  }

  @Test func `how long an answer may take can be chosen`() async throws {
    let scene = try await BooksScene.make()
    let run = await gozon("verify", "--stuck-after", "10s", "--json", environment: scene.environment)
    #expect(run.status == 1)
    #expect(try Set(Self.broken(run).keys) == ["answers"])
  }

  @Test func `a database that cannot be reached is UNAVAILABLE, and one that is missing a mistake`() async throws {
    let scene = try await BooksScene.make()
    let environment = scene.environment.merging(["GOZON_DATABASE_URL_PAYMENTS": "postgresql://127.0.0.1:1/x"]) { $1 }
    let run = await gozon("verify", environment: environment)
    #expect(run.status == 78 && run.errors.contains("cannot reach the database of payments"))
    #expect(run.errors.contains("run tools/up, or set --database-url-payments"))
    let other = await gozon("verify", "--database-url-payments", scene.ordersURL, environment: scene.environment)
    #expect(other.status == 73 && other.errors.contains(#"relation "entries" does not exist"#))
    #expect(await gozon("verify").status == 2)
  }
}
