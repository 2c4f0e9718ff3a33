internal import Postgres
internal import Wire

/// One side of ``OutcomeCheck``, summed up in buckets.
struct OutcomeDigests {
  /// How many rows there are.
  private(set) var rows: Int64 = 0
  /// What is too young to be summed up.
  private(set) var recent: Set<UUID> = []
  private var digests: [Int32: String] = [:]

  /// Reads rows of a bucket's number, its count, its digest as text, and what is too young.
  init(_ rows: Rows) throws(PostgresError) {
    for row in rows {
      let (number, count, digest, recent) = try row.values((Int32, Int64, String?, [UUID]?).self)
      self.rows += count
      digests[number] = digest
      self.recent.formUnion(recent ?? [])
    }
  }

  /// The buckets that differ from those of the other side.
  func differences(from other: OutcomeDigests) -> [Int32] {
    Set(digests.keys).union(other.digests.keys).filter { digests[$0] != other.digests[$0] }.sorted()
  }
}
