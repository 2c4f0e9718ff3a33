internal import Postgres

/// A check that is one statement: one moment of one database.
struct StatementCheck: Check {
  let name: String
  let rule: String
  let subject: String
  /// Where.
  let database: DatabaseName
  /// Finds what is broken, up to a limit: rows of an id, a problem, and how many there are in all.
  let statement: @Sendable (_ limit: Int64) -> Statement

  func look(at system: AuditedSystem, limit: Int64) async throws -> Finding {
    var finding = Finding()
    try finding.add(try await system[database].query(statement(limit)), limit: limit)
    return finding
  }
}
