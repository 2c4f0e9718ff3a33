internal import JetStream
internal import Messaging
internal import Wire

/// Finds the messages about an order without reading whole streams: those of its user's lane, around certain times.
struct MessageSearch: Sendable {
  /// How far the clocks of the services may be ahead of the broker's.
  private static let before: Duration = .seconds(5)
  /// How long after an answer a question may still come, which was asked again before.
  private static let after: Duration = .seconds(30)
  /// Messages that are looked at, at most: those of an order that waited for days may be millions.
  private static let countMax = 1_000_000

  /// How long what a stream says to have may take to come: what was removed meanwhile never does.
  private static let patience: Duration = .seconds(5)

  private let idText: String
  /// As messages have it.
  private let idBytes: [UInt8]
  private let lane: Int16
  private let periods: [ClosedRange<Timestamp>]

  /// A search for messages about an order of `userID` that were sent in `periods`.
  init(orderID: UUID, userID: UUID, periods: [ClosedRange<Timestamp>]) {
    idText = "\(orderID)"
    idBytes = [orderID.high, orderID.low].flatMap { half in
      stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> $0) }
    }
    lane = EventSubject.lane(of: userID)
    self.periods = Self.merged(
      periods.map { period in
        let begin = period.lowerBound.microseconds - Self.before.wholeMicroseconds
        let end = period.upperBound.microseconds + Self.after.wholeMicroseconds
        return Timestamp(microseconds: begin)...Timestamp(microseconds: end)
      })
  }

  /// The messages in a stream, and whether all of them were found.
  ///
  /// - Parameter prefix: what stands in front of the lane in their subjects, with wildcards.
  func messages(
    in stream: String, subjects prefix: String, _ client: JetStreamClient
  ) async throws -> (found: [StoredMessage], isWhole: Bool) {
    var sequences: [UInt64] = []
    var left = Self.countMax
    var isWhole = true
    for period in periods where left > 0 {
      let reader = try await client.read(
        stream, subjects: ["\(prefix).\(lane)"], from: .time("\(period.lowerBound)"), capacity: 4_096)
      defer { reader.close() }
      if try await !read(reader, until: period.upperBound, &left, &sequences) { isWhole = false }
    }
    var found: [StoredMessage] = []
    for sequence in sequences {
      // One that has left the stream meanwhile is not there.
      do {
        found.append(try await client.message(stream: stream, sequence: sequence))
      } catch let error as JetStreamError where error.code == .notFound {}
    }
    return (found, isWhole && left > 0)
  }

  /// Reads one period; false when not all of it has come.
  private func read(
    _ reader: OrderedConsumer, until end: Timestamp, _ left: inout Int, _ sequences: inout [UInt64]
  ) async throws -> Bool {
    var pending = reader.pendingCount
    while pending > 0 {
      let messages = try await reader.next(1_024, atMost: Self.patience)
      if messages.isEmpty { return false }
      for message in messages {
        guard message.delivery.nanosecondsSince1970 / 1_000 <= end.microseconds, left > 0 else { return true }
        left -= 1
        pending = message.delivery.pendingCount
        if isAbout(message) { sequences.append(message.sequence) }
      }
    }
    return true
  }

  /// By its headers; one that was published without them, by what is in it.
  private func isAbout(_ message: IncomingMessage) -> Bool {
    if let order = message.header("Gozon-Order") { return order == idText }
    return message.withPayload { payload in
      payload.count >= idBytes.count
        && (0...payload.count - idBytes.count).contains { start in
          idBytes.indices.allSatisfy { payload[start + $0] == idBytes[$0] }
        }
    }
  }

  private static func merged(_ periods: [ClosedRange<Timestamp>]) -> [ClosedRange<Timestamp>] {
    var merged: [ClosedRange<Timestamp>] = []
    for period in periods.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = merged.last, period.lowerBound <= last.upperBound {
        merged[merged.count - 1] = last.lowerBound...max(last.upperBound, period.upperBound)
      } else {
        merged.append(period)
      }
    }
    return merged
  }
}
