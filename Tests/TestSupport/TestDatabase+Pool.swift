package import EventLoop
internal import Foundation
package import Postgres

extension TestDatabase {
  /// The repository that these tests belong to.
  package static let checkout = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// Runs `body` with a running pool on the database at `url`, with the migrations of `service` applied.
  @discardableResult
  package static func withPool<Result: Sendable>(
    _ url: String, service: String, connections: Int = 4,
    _ body: @escaping @Sendable (PostgresPool) async throws -> Result
  ) async throws -> Result {
    try await onLoop { loop in
      try await withPool(url, service: service, connections: connections, on: loop, body)
    }
  }

  /// Runs `body` with a running pool on a loop that runs already.
  @discardableResult
  package static func withPool<Result: Sendable>(
    _ url: String, service: String, connections: Int = 4, on loop: EventLoop,
    _ body: @Sendable (PostgresPool) async throws -> Result
  ) async throws -> Result {
    var configuration = PostgresConfiguration(url: url)
    configuration.connectionCount = connections
    _ = try await Migrations(directory: "\(checkout)/Schemas/sql/\(service)").apply(
      loop: loop, configuration: configuration)
    let pool = PostgresPool(loop: loop, configuration: configuration)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await pool.run() }
      defer { pool.beginClosing() }
      return try await body(pool)
    }
  }
}
