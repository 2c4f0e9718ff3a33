internal import Postgres
internal import Wire

/// Orders as they are sent to the other database, to be compared with their charges there: a column for each value.
struct ComparedOrders: Sendable {
  let ids: [UUID]
  let userIDs: [UUID]
  let amounts: [Int64]
  let currencies: [String]
  let statuses: [Int16]
  let reasons: [Int16]
  let areToBeCancelled: [Bool]
  let updatedAt: [Timestamp]

  /// The orders of a row of columns; none without a row.
  init(_ rows: Rows) throws(PostgresError) {
    guard let row = rows.first else {
      (ids, userIDs, amounts, currencies, statuses) = ([], [], [], [], [])
      (reasons, areToBeCancelled, updatedAt) = ([], [], [])
      return
    }
    (ids, userIDs, amounts, currencies, statuses, reasons, areToBeCancelled, updatedAt) = try row.values(
      ([UUID], [UUID], [Int64], [String], [Int16], [Int16], [Bool], [Timestamp]).self)
  }
}
