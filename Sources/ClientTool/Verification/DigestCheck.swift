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
    for _ in 1..<Self.triesMax {
      let finding = try await lookOnce(at: system, limit: limit, isLast: false)
      if let finding { return finding }
    }
    return try await lookOnce(at: system, limit: limit, isLast: true) ?? Finding()
  }

  /// - Returns: nil when buckets do not add up and nothing in them is broken, unless this is the last look.
  private func lookOnce(at system: AuditedSystem, limit: Int64, isLast: Bool) async throws -> Finding? {
    let buckets = Buckets.all
    let rows = try await system[database].query(digests(buckets, .random(in: 0...Digest.seedMax)))
    var finding = Finding(rows: 0)
    var broken: [Int32] = []
    for row in rows {
      let (number, count, isBroken) = try row.values((Int32, Int64, Bool).self)
      finding.rows? += count
      if isBroken { broken.append(number) }
    }
    if broken.isEmpty { return finding }
    for group in buckets.groups(of: broken, rows: finding.rows ?? 0) {
      if finding.count >= limit {
        finding.isWhole = false
        break
      }
      try finding.add(try await system[database].query(closerLook(group, buckets, limit)), limit: limit)
    }
    if finding.holds, !isLast { return nil }
    if finding.holds { finding.add(Self.unexplained(broken), limit: limit) }
    return finding
  }

  private static func unexplained(_ broken: [Int32]) -> Breach {
    Breach(
      id: "of bucket \(broken[0])",
      problem: "is wrong: \(broken.count) of \(Buckets.all.count) do not add up, and it is "
        + "not known why")
  }
}
