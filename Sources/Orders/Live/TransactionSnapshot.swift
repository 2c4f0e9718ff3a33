/// Which transactions had ended at a moment, as PostgreSQL knows it (`pg_snapshot`, chapter 9.26.8). No I/O.
package struct TransactionSnapshot: Equatable, Sendable {
  /// Transactions that may be under way at a moment; PostgreSQL has as many at most as `max_connections`.
  static let underWayMax = 4_096

  /// All transactions below this one had ended.
  package let first: UInt64
  /// None from this one on had begun.
  package let next: UInt64
  /// Those in between that were under way, in order.
  package let underWay: [UInt64]

  /// A snapshot of these parts; nil unless they make one.
  package init?(first: UInt64, next: UInt64, underWay: [UInt64]) {
    guard first >= 1, first <= next, next <= UInt64(Int64.max), underWay.count <= Self.underWayMax,
      underWay.allSatisfy({ (first..<next).contains($0) }), zip(underWay, underWay.dropFirst()).allSatisfy(<)
    else { return nil }
    self.first = first
    self.next = next
    self.underWay = underWay
  }

  private init(first: UInt64) { (self.first, next, underWay) = (first, first, []) }

  /// Before every transaction.
  package static let beginning = TransactionSnapshot(first: 1)

  /// Whether what the transaction did could be seen.
  package func sees(_ transaction: UInt64) -> Bool {
    if transaction < first { return true }
    if transaction >= next { return false }
    return !underWay.contains(transaction)
  }
}

extension TransactionSnapshot: LosslessStringConvertible {
  /// PostgreSQL's own spelling, such as `10:20:10,14,15`.
  package init?(_ description: String) {
    let parts = description.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 3, let first = UInt64(parts[0]), let next = UInt64(parts[1]) else { return nil }
    let underWay = parts[2].split(separator: ",").map { UInt64($0) }
    guard !underWay.contains(nil) else { return nil }
    self.init(first: first, next: next, underWay: underWay.compactMap(\.self))
  }

  package var description: String {
    "\(first):\(next):" + underWay.map { String($0) }.joined(separator: ",")
  }
}
