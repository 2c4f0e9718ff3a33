import Postgres
import Testing

/// The error of this module that `body` throws; nil when it throws none.
func failure<Result>(of body: () async throws -> Result) async -> PostgresError? {
  do {
    _ = try await body()
  } catch let error as PostgresError {
    return error
  } catch {
    Issue.record("another kind of error: \(error)")
  }
  return nil
}
