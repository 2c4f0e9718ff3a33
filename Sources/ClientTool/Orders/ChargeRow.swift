internal import API
internal import Postgres
internal import Wire

/// An order's charge as its database has it.
struct ChargeRow: Sendable {
  let userID: UUID
  let amount: Int64
  let currency: String
  let outcome: Int16
  let settledAt: Timestamp

  /// Reads a row of ``PaymentsTables/charge(of:)``.
  init(_ row: Row) throws(PostgresError) {
    (userID, amount, currency, outcome, settledAt) = try row.values((UUID, Int64, String, Int16, Timestamp).self)
  }

  var outcomeName: String { ChargeOutcome.name(of: outcome) }
}
