internal import API
internal import Postgres
internal import Wire

/// What an order moved on an account.
struct LedgerRow: Sendable {
  let number: Int64
  let kind: Int16
  let amount: Int64
  let balance: Int64
  let createdAt: Timestamp

  /// Reads a row of ``PaymentsTables/entries(of:about:)``.
  init(_ row: Row) throws(PostgresError) {
    (number, kind, amount, balance, createdAt) = try row.values((Int64, Int16, Int64, Int64, Timestamp).self)
  }

  var kindName: String { EntryKind.name(of: kind) }
}
