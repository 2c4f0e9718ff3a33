import EventLoop
@testable import Postgres
import TestSupport
import Testing

@Suite struct PostgresConnectionTests {
  /// Runs `body` with a connection to a database of its own.
  private func withConnection<R: Sendable>(
    _ body: @escaping @Sendable (PostgresConnection) async throws -> R
  ) async throws -> R {
    let url = try TestDatabase.make("connection")
    return try await onLoop { loop in
      let connection = try await PostgresConnection.connect(loop: loop, configuration: PostgresConfiguration(url: url))
      defer { connection.close() }
      return try await body(connection)
    }
  }

  @Test func `values of every type come back as they went`() async throws {
    try await withConnection { connection in
      let row = try await connection.query(
        Statement(
          "SELECT $1, $2, $3, $4, $5, $6", true, Int16.min, Int32.max, Int64.min, "naïve ☕", [UInt8](0...255))
      ).single()
      #expect(try row.value(0) == true)
      let values = try row.values((Bool, Int16, Int32, Int64, String, [UInt8]).self)
      #expect(values == (true, Int16.min, Int32.max, Int64.min, "naïve ☕", [UInt8](0...255)))
    }
  }
}
