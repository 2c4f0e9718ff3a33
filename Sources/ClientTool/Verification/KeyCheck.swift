internal import Postgres
internal import Wire

/// Looks up what Idempotency-Keys are answered with. Page by page: what keys speak of stays.
struct KeyCheck: Check {
  /// Blocks of a page from each partition, of some dozens of keys each: the fewer, the more often all deposits are gone
  /// through.
  private static let pageMax: Int64 = 512

  let name = "keys"
  let rule = "what an Idempotency-Key is answered with is there"
  let subject = "Idempotency-Key"

  func look(at system: AuditedSystem, limit: Int64) async throws -> Finding {
    var finding = Finding(rows: 0)
    try await look(at: system.orders, limit, &finding) { OrdersChecks.missing($0) }
    try await look(at: system.payments, limit, &finding) { PaymentsChecks.missing($0) }
    return finding
  }

  private func look(
    at database: DatabaseSession, _ limit: Int64, _ finding: inout Finding, missing: ([KeptResponse]) -> Statement
  ) async throws {
    let blocks: Int64 = try await database.query(IdempotencyKeys.countBlocks).single().value(0)
    for start in stride(from: 0, to: blocks, by: Int64.Stride(Self.pageMax)) {
      let rows = try await database.query(IdempotencyKeys.page(start..<start + Self.pageMax))
      finding.rows? += Int64(rows.count)
      let responses = try Self.read(rows, limit, &finding)
      if responses.isEmpty { continue }
      for row in try await database.query(missing(responses)) {
        let (key, problem) = try row.values((String, String).self)
        finding.add(Breach(id: key, problem: problem), limit: limit)
      }
    }
  }

  /// What the keys of a page are answered with; what cannot be read is a breach.
  private static func read(_ rows: Rows, _ limit: Int64, _ finding: inout Finding) throws -> [KeptResponse] {
    var responses: [KeptResponse] = []
    for row in rows {
      let (scope, key): (String, String) = (try row.value(0), try row.value(1))
      do {
        let response = try row.withBytes(2) { bytes in
          guard let bytes else { return nil as KeptResponse? }
          return try KeptResponse.reading(bytes, of: scope, key: key)
        }
        if let response { responses.append(response) }
      } catch let error as DecodingError {
        finding.add(Breach(id: key, problem: "has an answer of \(scope) that cannot be read: \(error)"), limit: limit)
      }
    }
    return responses
  }
}
