internal import Postgres

/// How far a lane of a stream is processed.
struct LaneRow: Sendable {
  /// When the stream was created, as the broker tells.
  let stream: String
  let sequence: Int64

  /// Reads a row of `LaneTable.place(of:)`.
  init(_ row: Row) throws(PostgresError) { (stream, sequence) = try row.values((String, Int64).self) }

  /// Whether the message of that sequence, in the stream that was created then, has had its effect.
  func hasProcessed(_ sequence: UInt64, created: String) -> Bool {
    stream == created && self.sequence >= Int64(clamping: sequence)
  }
}
