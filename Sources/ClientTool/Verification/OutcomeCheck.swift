internal import EventLoop
internal import Postgres
internal import Wire

/// Compares the orders of one database with the charges of the other.
///
/// There is no moment that both databases share. What had its result some seconds ago stays as it is, but for refunds, so it
/// is summed up on both sides. What differs or is younger is suspected: its order is read, then its charge, which is never
/// behind it. Who does not agree then is looked at again, some times over some seconds, and told of only if it stays so.
struct OutcomeCheck: Check {
  /// How old a result must be to be summed up: older than a transaction takes.
  private static let settlingTime: Duration = .seconds(10)
  /// Orders that are compared at once.
  private static let batchMax = 10_000
  /// Orders that do not agree and are looked at again together.
  private static let doubtMax = 1_000
  /// The pauses before orders that do not agree are looked at again.
  private static let pauses: [Duration] = [.milliseconds(300), .seconds(1), .seconds(2)]

  let name = "outcomes"
  let rule = "an order is as its charge was decided, and neither is without the other"
  let subject = "order"
  /// How long a charge may be ahead of its order.
  let stuckAfter: Duration

  func look(at system: AuditedSystem, limit: Int64) async throws -> Finding {
    // The clock of the system, whatever this machine's says.
    let now: Timestamp = try await system.orders.query(Statement("SELECT now()")).single().value(0)
    let time = Timestamp(microseconds: now.microseconds - Self.settlingTime.wholeMicroseconds)
    let seed = Int64.random(in: 0...Digest.seedMax)
    let buckets = Buckets.all
    // Orders first: a charge is there before its order says so.
    let orders = try OutcomeDigests(
      try await system.orders.query(OrdersChecks.outcomeDigests(buckets, seed: seed, before: time)))
    let charges = try OutcomeDigests(
      try await system.payments.query(PaymentsChecks.outcomeDigests(buckets, seed: seed, before: time)))
    var finding = Finding(rows: orders.rows)
    try await judge(orders.recent.union(charges.recent), system, limit, &finding)
    for group in buckets.groups(of: orders.differences(from: charges), rows: max(orders.rows, charges.rows)) {
      if finding.count >= limit {
        finding.isWhole = false
        break
      }
      let placed = try await system.orders.query(
        OrdersChecks.outcomes(in: group, of: buckets, seed: seed, before: time))
      let decided = try await system.payments.query(
        PaymentsChecks.outcomes(in: group, of: buckets, seed: seed, before: time))
      try await judge(try Self.differences(placed, decided), system, limit, &finding)
    }
    return finding
  }

  /// The ids of rows that only one side has, or whose digests differ.
  private static func differences(_ left: Rows, _ right: Rows) throws -> Set<UUID> {
    var open: [UUID: Int64] = Dictionary(minimumCapacity: left.count)
    for row in left {
      // One without a digest has values that none can have.
      let (id, digest) = try row.values((UUID, Int64?).self)
      open[id] = digest ?? 0
    }
    var differing: Set<UUID> = []
    for row in right {
      let (id, digest) = try row.values((UUID, Int64?).self)
      if open.removeValue(forKey: id) != digest { differing.insert(id) }
    }
    return differing.union(open.keys)
  }

  /// Compares suspected orders with their charges, and again those that do not agree, until enough is found.
  private func judge(
    _ suspects: some Sequence<UUID>, _ system: AuditedSystem, _ limit: Int64, _ finding: inout Finding
  ) async throws {
    var rest = Array(suspects)
    while !rest.isEmpty {
      if finding.count >= limit {
        finding.isWhole = false
        return
      }
      var problems: [(id: UUID, problem: String)] = []
      while problems.count < Self.doubtMax, !rest.isEmpty {
        problems += try await self.problems(of: Array(rest.suffix(Self.batchMax)), system)
        rest.removeLast(min(Self.batchMax, rest.count))
      }
      rest += problems.dropFirst(Self.doubtMax).map(\.id)
      problems.removeLast(max(0, problems.count - Self.doubtMax))
      for pause in Self.pauses where !problems.isEmpty {
        try await system.loop.sleep(for: pause)
        problems = try await self.problems(of: problems.map(\.id), system)
      }
      for (id, problem) in problems { finding.add(Breach(id: "\(id)", problem: problem), limit: limit) }
    }
  }

  private func problems(of ids: [UUID], _ system: AuditedSystem) async throws -> [(id: UUID, problem: String)] {
    let orders = try ComparedOrders(try await system.orders.query(OrdersChecks.orders(ids)))
    return try await system.payments.query(
      PaymentsChecks.disagreements(of: ids, orders: orders, stuckAfterMicroseconds: stuckAfter.wholeMicroseconds)
    ).map { row in try row.values((UUID, String).self) }
  }
}
