import EventLoop
@testable import Postgres
import TestSupport

/// Runs `body` with a running pool on a database of its own.
@discardableResult
func withPool<R: Sendable>(
  _ change: @escaping @Sendable (inout PostgresConfiguration) -> Void = { _ in },
  _ body: @escaping @Sendable (PostgresPool) async throws -> R
) async throws -> R {
  var configuration = PostgresConfiguration(url: try TestDatabase.make("pool"))
  change(&configuration)
  let final = configuration
  return try await onLoop { loop in
    let pool = PostgresPool(loop: loop, configuration: final)
    return try await withThrowingTaskGroup(of: R?.self) { group in
      group.addTask {
        await pool.run()
        return nil
      }
      group.addTask {
        defer { pool.beginClosing() }
        return try await body(pool)
      }
      var result: R?
      for try await one in group { result = result ?? one }
      return result!
    }
  }
}
