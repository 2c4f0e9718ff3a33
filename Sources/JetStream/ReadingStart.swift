internal import JSON

/// Where in a stream a reading begins.
package enum ReadingStart: Equatable, Sendable {
  /// At the message of this sequence, or the next one that there is.
  case sequence(UInt64)
  /// At the first message that the stream took at this time or later: RFC 3339 text, as the broker writes times.
  case time(String)

  /// The members of a consumer's configuration that say so (`ConsumerConfig` of the NATS server).
  var members: [JSONValue.Member] {
    switch self {
    case .sequence(let sequence):
      [
        .init("deliver_policy", "by_start_sequence"),
        .init("opt_start_seq", .integer(Int64(clamping: max(1, sequence)))),
      ]
    case .time(let time): [.init("deliver_policy", "by_start_time"), .init("opt_start_time", .string(time))]
    }
  }
}
