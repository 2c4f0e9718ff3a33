internal import Postgres

/// A check that sums up a whole table in one moment of its database, and looks closely only at the buckets that do not add
/// up: where all is well, which is nearly always, nothing is sorted or joined.
struct DigestCheck: Check {
  /// Digests that do not add up are made again when a closer look finds nothing, as it does where somebody has just put
  /// things right.
  private static let triesMax = 3

  let name: String
  let rule: String
  let subject: String
  /// Where.
  let database: DatabaseName
  /// Sums up: a row for each bucket with its number, how many rows it has, and whether it is broken.
  let digests: @Sendable (_ buckets: Buckets, _ seed: Int64) -> Statement
  /// Finds what is broken in some of the buckets, up to a limit; rows as those of ``StatementCheck``.
  let closerLook: @Sendable (_ numbers: [Int32], _ buckets: Buckets, _ limit: Int64) -> Statement

  func look(at system: AuditedSystem, limit: Int64) async throws -> Finding {
    var tries = 1
    while true {
      var (finding, broken) = try await sumUp(system)
      if broken.isEmpty { return finding }
      try await lookCloser(at: broken, system, limit, &finding)
      if !finding.holds { return finding }
      if tries == Self.triesMax {
        finding.add(Self.unexplained(broken), limit: limit)
        return finding
      }
      tries += 1
    }
  }

  /// How many rows there are, and the numbers of the buckets that do not add up.
  private func sumUp(_ system: AuditedSystem) async throws -> (Finding, broken: [Int32]) {
    var finding = Finding(rows: 0)
    var broken: [Int32] = []
    for row in try await system[database].query(digests(.all, .random(in: 0...Digest.seedMax))) {
      let (number, count, isBroken) = try row.values((Int32, Int64, Bool).self)
      finding.rows? += count
      if isBroken { broken.append(number) }
    }
    return (finding, broken)
  }

  private func lookCloser(
    at broken: [Int32], _ system: AuditedSystem, _ limit: Int64, _ finding: inout Finding
  ) async throws {
    for group in Buckets.all.groups(of: broken, rows: finding.rows ?? 0) {
      if finding.count >= limit {
        finding.isWhole = false
        return
      }
      try finding.add(try await system[database].query(closerLook(group, .all, limit)), limit: limit)
    }
  }

  private static func unexplained(_ broken: [Int32]) -> Breach {
    Breach(
      id: "in bucket \(broken[0])",
      problem: "is wrong: \(broken.count) of \(Buckets.all.count) buckets do not add up, and it is not known why")
  }
}
