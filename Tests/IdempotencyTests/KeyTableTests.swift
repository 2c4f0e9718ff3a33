import EventLoop
import Foundation
import Postgres
import TestSupport
import Testing

@testable import Idempotency

@Suite struct KeyTableTests {
  @Test(arguments: ["orders", "payments"])
  func `what is written down under a key is found, by its method and itself alone`(service: String) async throws {
    try await KeyScene.with(service) { scene in
      let requests = [
        KeyScene.request("k", [1, 2]), KeyScene.request("k", method: "Pay ann", [3]), KeyScene.request("ключ"),
      ]
      let answers = requests.enumerated().map { KeyedAnswer(to: $1, response: [UInt8($0)]) }
      try await scene.pool.execute(KeyTable.insert(answers))
      let unknown = [KeyScene.request("k", method: "Pay bob"), KeyScene.request("l")]
      let rows = try await scene.pool.query(KeyTable.find((requests + unknown).map(\.key)))
      let found = try KeyTable.answers(rows)
      #expect(rows.count == 3)
      for answer in answers {
        #expect(found.verdict(on: answer.request) == .isRepeat(response: answer.response))
      }
      for request in unknown { #expect(found.verdict(on: request) == .isNew) }
      let again = await #expect(throws: PostgresError.self) {
        try await scene.pool.execute(KeyTable.insert([answers[1]]))
      }
      #expect(again?.isUniqueViolation() == true)
    }
  }

  @Test func `a key is in the slot of its day, and just after midnight in that of the day before too`() async throws {
    try await KeyScene.with { scene in
      // Days 20513, 20514 and 20515 of the epoch: slots 2, 0 and 1.
      for (time, slots) in [
        ("2026-03-01 00:02:00Z", [2]), ("2026-03-01 23:59:59.999Z", [2]), ("2026-03-02 00:00:00Z", [0, 2]),
        ("2026-03-02 00:01:59.999Z", [0, 2]), ("2026-03-02 00:02:00Z", [0]), ("2026-03-03 00:00:01Z", [0, 1]),
        ("2026-03-03 12:00:00+14", [0]),
      ] as [(String, [Int16])] {
        try await scene.setClock(time)
        try await scene.insert([time])
        #expect(try await scene.slots(time) == slots, "\(time)")
        #expect(try await scene.response(time) == [7])
      }
    }
  }

  @Test(arguments: [
    ("2026-03-01 23:59:59.9Z", "2026-03-02 00:00:00.1Z"), ("2026-03-01 23:59:00Z", "2026-03-02 00:00:59Z"),
    ("2026-03-02 00:01:59.9Z", "2026-03-02 00:02:00.1Z"), ("2026-03-02 00:02:01Z", "2026-03-02 00:01:59Z"),
  ])
  func `two that meet around midnight have one effect`(first: String, second: String) async throws {
    try await KeyScene.with { scene in
      try await scene.setClock(first)
      let loop = scene.pool.loop
      let isWritten = LoopSignal(loop: loop)
      let mayCommit = LoopSignal(loop: loop)
      async let winner: Void = scene.pool.withTransaction { transaction in
        _ = try await transaction.query(KeyTable.insert([KeyedAnswer(to: KeyScene.request("k"), response: [1])]))
        isWritten.signal()
        await mayCommit.wait()
      }
      await isWritten.wait()
      try await scene.setClock(second)
      async let loser = #expect(throws: PostgresError.self) { try await scene.insert(["a", "k"], response: [2]) }
      try await scene.waitForBlockedStatement()
      mayCommit.signal()
      try await winner
      #expect(await loser?.isUniqueViolation() == true)
      #expect(try await scene.response("k") == [1])
      #expect(try await scene.response("a") == nil, "nothing of the loser's transaction is left")
    }
  }

  @Test func `batches with the same keys in any order wait for each other, and never in a circle`() async throws {
    try await KeyScene.with { scene in
      let keys = (0..<200).map { "k\($0)" }
      for round in 0..<10 {
        try await withThrowingTaskGroup(of: Bool.self) { group in
          for _ in 0..<3 {
            group.addTask {
              do {
                try await scene.insert(keys.map { "\($0) of \(round)" }.shuffled())
                return true
              } catch let error as PostgresError where error.isUniqueViolation() {
                return false
              }
            }
          }
          let count = try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
          #expect(count == 1)
        }
      }
    }
  }

  @Test(arguments: ["orders", "payments"])
  func `keys of the release before are kept, as far as they are young`(service: String) async throws {
    let url = try TestDatabase.make("idempotency_before")
    let directory = FileManager.default.temporaryDirectory.appending(path: "before-\(UInt32.random(in: 0...(.max)))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let all = URL(fileURLWithPath: "\(TestDatabase.checkout)/Schemas/sql/\(service)")
    for name in try FileManager.default.contentsOfDirectory(atPath: all.path) where name < "0004" {
      try FileManager.default.copyItem(at: all.appending(path: name), to: directory.appending(path: name))
    }
    try await onLoop { loop in
      let configuration = PostgresConfiguration(url: url)
      _ = try await Migrations(directory: directory.path).apply(loop: loop, configuration: configuration)
      let connection = try await PostgresConnection.connect(loop: loop, configuration: configuration)
      let insert = "INSERT INTO idempotency_keys (scope, key, request, response, created_at) VALUES"
      try await connection.run(
        script: """
          \(insert) ('Pay', 'young', '\\x01', '\\x05', now() - interval '24 hours'),
            ('Pay', 'old', '\\x01', '\\x06', now() - interval '26 hours')
          """)
      try await TestDatabase.withPool(url, service: service, on: loop) { pool in
        let scene = KeyScene(url: url, pool: pool)
        #expect(try await scene.response("young") == [5])
        #expect(try await scene.response("old") == nil)
        // A process of that release, which is not restarted yet.
        try await connection.run(script: "\(insert) ('Pay', 'late', '\\x01', '\\x08', now()) ON CONFLICT DO NOTHING")
        #expect(try await scene.response("late") == [8])
      }
      connection.close()
    }
  }
}
