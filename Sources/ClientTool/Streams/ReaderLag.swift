internal import JetStream
internal import JSON
internal import Messaging
internal import Postgres

/// How far a service is with a lane of a stream that it reads: it keeps its place in its own database.
struct ReaderLag: Sendable {
  /// Who reads the stream; nil when none of the services does.
  static func reader(of stream: String) -> DatabaseName? {
    switch stream {
    case EventStreams.orders.name: .payments
    case EventStreams.payments.name: .orders
    default: nil
    }
  }

  let reader: DatabaseName
  let lane: Int16
  /// The last message that is processed; 0 for none of this stream.
  let sequence: Int64
  /// Messages of the lane that are not processed.
  let pending: UInt64

  /// Every lane of a stream.
  ///
  /// - Parameter info: what the broker tells of the stream.
  static func all(
    of stream: String, _ info: JSONValue, readBy reader: DatabaseName, _ database: DatabaseSession,
    _ client: JetStreamClient
  ) async throws -> [ReaderLag] {
    let (state, prefix) = (StreamState(info), info["config"]?["subjects"]?.array?.first?.string?.dropLast(2) ?? "")
    var lags: [ReaderLag] = []
    for lane in 0..<EventSubject.laneCount {
      let row = try LaneRow(try await database.query(LaneTable.place(of: lane)).single())
      // Of a stream that is gone, whatever was processed is no place in this one.
      let sequence = row.stream == state.created ? row.sequence : 0
      let messages = try await client.read(
        stream, subjects: ["\(prefix).*.\(lane)"], from: UInt64(sequence) + 1, capacity: 1)
      lags.append(ReaderLag(reader: reader, lane: lane, sequence: sequence, pending: messages.pendingCount))
      messages.close()
    }
    return lags
  }

  /// A line for each lane.
  static func table(of lags: [ReaderLag]) -> TextTable {
    var table = TextTable([("READER", .left), ("LANE", .right), ("PROCESSED", .right), ("PENDING", .right)])
    for lag in lags { table.append("\(lag.reader)", "\(lag.lane)", "\(lag.sequence)", "\(lag.pending)") }
    return table
  }

  var json: JSONValue {
    [
      "reader": .string("\(reader)"), "lane": .integer(Int64(lane)), "processed": .integer(sequence),
      "pending": .integer(Int64(clamping: pending)),
    ]
  }
}
