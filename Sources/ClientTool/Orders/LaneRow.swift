internal import Postgres

/// How far a lane of a stream is processed.
struct LaneRow: Sendable {
  /// When the stream was created, as the broker tells.
  let stream: String
  let sequence: Int64

  /// Reads a row of `LaneTable.place(of:)`.
  init(_ row: Row) throws(PostgresError) { (stream, sequence) = try row.values((String, Int64).self) }

  /// Whether a message of the stream that was created then has had its effect.
  func isBehind(_ message: UInt64, created: String) -> Bool { stream == created && sequence >= Int64(clamping: message) }
}
