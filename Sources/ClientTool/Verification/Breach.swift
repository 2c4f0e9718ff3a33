internal import Postgres

/// Something that does not hold.
struct Breach: Equatable, Sendable {
  /// Which order, account, key or currency.
  let id: String
  /// What is wrong with it; reads on from the id.
  let problem: String
}

/// What a check has found.
struct Finding: Equatable, Sendable {
  /// The breaches that are told of, up to the limit that was asked for.
  var breaches: [Breach] = []
  /// How many there are; at least, when ``isWhole`` is not.
  var count: Int64 = 0
  /// Whether everything was looked at: a check ends early when it has found enough.
  var isWhole = true
  /// How many rows of the table in question there are; nil when they were not counted.
  var rows: Int64?

  var holds: Bool { count == 0 }

  /// Adds what a statement found: rows of an id, a problem, and how many such rows there are in all.
  mutating func add(_ rows: Rows, limit: Int64) throws(PostgresError) {
    var total: Int64 = 0
    for row in rows {
      let (id, problem, count) = try row.values((String, String, Int64).self)
      add(Breach(id: id, problem: problem), limit: limit)
      total = count
    }
    count += total - Int64(rows.count)
  }

  /// Adds a breach, which is told of as long as there is room.
  mutating func add(_ breach: Breach, limit: Int64) {
    count += 1
    if breaches.count < limit { breaches.append(breach) }
  }
}
