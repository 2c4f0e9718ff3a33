import EventLoop
@testable import Postgres
import TestSupport
import Testing
import Wire

@Suite struct PostgresConnectionTests {
  /// Runs `body` with a connection to a database of its own.
  private func withConnection(_ body: @escaping @Sendable (PostgresConnection) async throws -> Void) async throws {
    let url = try TestDatabase.make("connection")
    try await onLoop { loop in
      let connection = try await PostgresConnection.connect(loop: loop, configuration: PostgresConfiguration(url: url))
      defer { connection.close() }
      try await body(connection)
    }
  }

  @Test func `values of every type come back as they went`() async throws {
    try await withConnection { connection in
      let id = UUID(high: 1, low: .max)
      let moment = Timestamp(microseconds: -1)
      let row = try await connection.query(
        Statement(
          "SELECT $1, $2, $3, $4, $5, $6, $7, $8", true, Int16.min, Int32.max, Int64.min, "naïve ☕", [UInt8](0...255),
          id, moment)
      ).single()
      let values = try row.values((Bool, Int16, Int32, Int64, String, [UInt8], UUID, Timestamp).self)
      #expect(values.0 && values.1 == .min && values.2 == .max && values.3 == .min)
      #expect(values.4 == "naïve ☕" && values.5 == [UInt8](0...255) && values.6 == id && values.7 == moment)
    }
  }

  @Test func `NULLs and empty values are different`() async throws {
    try await withConnection { connection in
      let row = try await connection.query(
        Statement("SELECT $1, $2, $3, $4, $5", nil as UUID?, nil as String?, "", [] as [UInt8], false as Bool?)
      ).single()
      let values = try row.values((UUID?, String?, String?, [UInt8]?, Bool?).self)
      #expect(values == (nil, nil, "", [], false))
    }
  }

  @Test func `arrays, with NULLs in them, spread into rows`() async throws {
    try await withConnection { connection in
      let ids: [UUID] = [UUID(high: 1, low: 2), UUID(high: 3, low: 4), .zero]
      let names: [String?] = ["a", nil, ""]
      let payloads: [[UInt8]?] = [[0, 1], [], nil]
      let amounts: [Int64] = [.min, 0, .max]
      let moments: [Timestamp?] = [Timestamp(microseconds: 0), nil, Timestamp(microseconds: 1_700_000_000_000_000)]
      let flags = [true, false, true]
      let rows = try await connection.query(
        Statement("SELECT * FROM unnest($1, $2, $3, $4, $5, $6)", ids, names, payloads, amounts, moments, flags))
      #expect(rows.count == 3)
      for (index, row) in rows.enumerated() {
        let values = try row.values((UUID, String?, [UInt8]?, Int64, Timestamp?, Bool).self)
        let expected = (ids[index], names[index], payloads[index], amounts[index], moments[index], flags[index])
        #expect(values == expected)
      }
      let back = try await connection.query(
        Statement("SELECT $1, $2, $3, $4, $5", ids, names, payloads, [] as [Int32], [7, nil] as [Int16?])
      ).single().values(([UUID], [String?], [[UInt8]?], [Int32], [Int16?]).self)
      #expect(back == (ids, names, payloads, [], [7, nil]))
    }
  }

  @Test func `one text serves parameters of different types`() async throws {
    try await withConnection { connection in
      func echo<Value: PostgresCodable & Equatable>(_ value: Value) async throws {
        let back: Value = try await connection.query(Statement("SELECT $1", value)).single().value(0)
        #expect(back == value)
      }
      for _ in 0..<2 {
        try await echo(258 as Int64)
        try await echo("text")
        try await echo([1, 2] as [UInt8])
        try await echo(["a"])
      }
    }
  }

  @Test func `a column of another type, NULL or none is an error`() async throws {
    try await withConnection { connection in
      let row = try await connection.query(Statement("SELECT 1::bigint, NULL::bigint, 2::numeric")).single()
      #expect(try row.value(0) == 1 as Int64)
      #expect(await failure(of: { try row.value(0, as: Int32.self) })?.code == .decoding)
      #expect(await failure(of: { try row.value(1, as: Int64.self) })?.code == .decoding)
      #expect(await failure(of: { try row.value(2, as: Int64.self) })?.code == .decoding)
      #expect(await failure(of: { try row.value(3, as: Int64.self) })?.code == .decoding)
      #expect(await failure(of: { try row.value(-1, as: Int64.self) })?.code == .decoding)
      #expect(await failure(of: { try Rows.none.single() })?.code == .decoding)
    }
  }

  @Test func `bytes can be read where they lie`() async throws {
    try await withConnection { connection in
      let row = try await connection.query(Statement("SELECT $1, NULL::bytea", [1, 2, 3] as [UInt8])).single()
      #expect(try row.withBytes(0) { $0?.byteCount } == 3)
      #expect(try row.withBytes(1) { $0 == nil })
    }
  }

  @Test func `an error says little, and everything on request`() async throws {
    try await withConnection { connection in
      _ = try await connection.execute([Statement("CREATE TABLE secrets (id int CONSTRAINT positive CHECK (id > 0))")])
      let error = await failure(of: {
        try await connection.execute([Statement("INSERT INTO secrets VALUES ($1)", -5 as Int32)])
      })
      #expect(error?.sqlState == .checkViolation)
      #expect(error?.constraint == "positive")
      #expect(error.map { "\($0)" } == "the database refused a statement (23514)")
      #expect(String(reflecting: error).contains("\"secrets\" violates check constraint \"positive\""))
    }
  }

  @Test func `a failed statement in a transaction fails those sent with it and after it`() async throws {
    try await withConnection { connection in
      let error = await failure(of: {
        try await connection.withTransaction { transaction in
          let first = transaction.send(Statement("SELECT 1"))
          let second = transaction.send(Statement("SELECT 1 / $1", 0 as Int32))
          #expect(await failure(of: { try await first.rows() })?.sqlState == "22012")
          #expect(await failure(of: { try await second.rows() })?.sqlState == "22012")
          let syncs = connection.statistics.syncs
          let third = transaction.send(Statement("SELECT 2"))
          #expect(await failure(of: { try await third.rows() })?.sqlState == "22012")
          #expect(connection.statistics.syncs == syncs)
        }
      })
      #expect(error?.sqlState == "22012")
      let answer: Int32 = try await connection.query(Statement("SELECT 3")).single().value(0)
      #expect(answer == 3)
    }
  }

  @Test func `a statement whose table changed works again after one failure`() async throws {
    try await withConnection { connection in
      let read = Statement("SELECT * FROM t")
      try await connection.run(script: "CREATE TABLE t (a int); INSERT INTO t VALUES (1);")
      _ = try await connection.query(read)
      try await connection.run(script: "ALTER TABLE t ADD b int DEFAULT 2;")
      #expect(await failure(of: { try await connection.query(read) })?.sqlState == .featureNotSupported)
      let row = try await connection.query(read).single()
      #expect(try row.value(1) == 2 as Int32)
    }
  }

  @Test func `a large parameter and a large result pass`() async throws {
    try await withConnection { connection in
      let bytes = [UInt8](repeating: 7, count: 8 << 20)
      let row = try await connection.query(Statement("SELECT $1", bytes)).single()
      #expect(try row.value(0) == bytes)
      let rows = try await connection.query(Statement("SELECT n, repeat('x', 100) FROM generate_series(1, 20000) AS n"))
      #expect(rows.count == 20_000)
      #expect(try rows[19_999].value(0) == 20_000 as Int32)
    }
  }

  @Test func `connecting fails with the reason, in time`() async throws {
    let url = try TestDatabase.make("connection")
    try await onLoop { loop in
      func connectError(_ url: String) async -> PostgresError? {
        let configuration = PostgresConfiguration(url: url)
        return await failure(of: { try await PostgresConnection.connect(loop: loop, configuration: configuration) })
      }
      let missing = await connectError(url + "_missing")
      #expect(missing?.code == .connectionLost)
      #expect(missing?.message.contains("does not exist") == true)
      #expect(await connectError("postgresql://127.0.0.1:1/none")?.message.contains("refused") == true)
      #expect(await connectError("postgresql://%")?.code == .connectionLost)
    }
  }
}
