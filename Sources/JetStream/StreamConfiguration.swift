internal import EventLoop

/// How a stream is to be. What is nil or not mentioned stays as the broker has it.
package struct StreamConfiguration: Sendable, Equatable {
  /// When messages leave the stream.
  package enum Retention: String, Sendable { case limits, interest, workqueue }
  /// Where messages are kept.
  package enum Storage: String, Sendable { case file, memory }
  /// What gives way when a limit is reached: the oldest messages, or new ones.
  package enum Discard: String, Sendable { case old, new }

  /// The stream's name: no spaces, dots or wildcards.
  package var name: String
  /// What it takes, with wildcards; no other stream may take the same.
  package var subjects: [String]
  package var storage: Storage = .file
  package var retention: Retention = .limits
  package var discard: Discard = .old
  /// How long a message is kept; nil for ever.
  package var maxAge: Duration?
  /// Bytes kept; nil for no limit.
  package var bytesMax: Int64?
  /// Messages kept; nil for no limit.
  package var messagesMax: Int64?
  /// How long a message ID is remembered, to drop the same message sent again.
  package var duplicateWindow: Duration = .seconds(120)
  /// Servers that keep a copy: 1, 3 or 5.
  package var replicas = 1

  /// A stream of files without limits, with the defaults shown.
  package init(name: String, subjects: [String]) {
    self.name = name
    self.subjects = subjects
  }

  /// The configuration as the API writes it (`StreamConfig` of the NATS server).
  var json: JSONValue {
    [
      "name": .string(name),
      "subjects": .array(subjects.sorted().map { .string($0) }),
      "storage": .string(storage.rawValue),
      "retention": .string(retention.rawValue),
      "discard": .string(discard.rawValue),
      "max_age": .integer(maxAge?.nanoseconds ?? 0),
      "max_bytes": .integer(bytesMax ?? -1),
      "max_msgs": .integer(messagesMax ?? -1),
      "duplicate_window": .integer(duplicateWindow.nanoseconds),
      "num_replicas": .integer(Int64(replicas)),
    ]
  }
}

/// How a durable pull consumer is to be; every message is acknowledged by itself.
package struct ConsumerConfiguration: Sendable, Equatable {
  /// Where a new consumer begins.
  package enum DeliverPolicy: Sendable, Equatable {
    case all
    case last
    case new
    case fromSequence(UInt64)
  }

  /// The stream it reads.
  package var stream: String
  /// Its durable name: no spaces, dots or wildcards.
  package var name: String
  /// The subjects it is to see; all when empty.
  package var filterSubjects: [String]
  package var deliverPolicy: DeliverPolicy = .all
  /// How long a delivery may stay unacknowledged before it is repeated.
  package var ackWait: Duration = .seconds(30)
  /// Waits before each repetition, the last one for all further; in place of ``ackWait`` when not empty.
  package var backoff: [Duration] = []
  /// How many messages may be unacknowledged before delivery stops.
  package var ackPendingMax = 20_000
  /// How often a message is delivered at most; nil for ever. More than ``backoff`` has waits.
  package var deliveriesMax: Int?

  /// A consumer with the defaults shown.
  package init(stream: String, name: String, filterSubjects: [String] = []) {
    self.stream = stream
    self.name = name
    self.filterSubjects = filterSubjects
  }

  /// The configuration as the API writes it (`ConsumerConfig` of the NATS server).
  var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("durable_name", .string(name)),
      .init("ack_policy", "explicit"),
      .init("filter_subject", .string(filterSubjects.count == 1 ? filterSubjects[0] : "")),
      .init("filter_subjects", .array(filterSubjects.count > 1 ? filterSubjects.sorted().map { .string($0) } : [])),
      // The server puts the first backoff in the place of the wait.
      .init("ack_wait", .integer((backoff.first ?? ackWait).nanoseconds)),
      .init("backoff", .array(backoff.map { .integer($0.nanoseconds) })),
      .init("max_ack_pending", .integer(Int64(ackPendingMax))),
      .init("max_deliver", .integer(Int64(deliveriesMax ?? -1))),
    ]
    switch deliverPolicy {
    case .all: members.append(.init("deliver_policy", "all"))
    case .last: members.append(.init("deliver_policy", "last"))
    case .new: members.append(.init("deliver_policy", "new"))
    case .fromSequence(let sequence):
      members.append(.init("deliver_policy", "by_start_sequence"))
      members.append(.init("opt_start_seq", .integer(Int64(clamping: sequence))))
    }
    return .object(members)
  }
}

/// The streams and consumers that a service needs on the broker.
package struct Topology: Sendable, Equatable {
  /// Created before the consumers, in order.
  package var streams: [StreamConfiguration]
  package var consumers: [ConsumerConfiguration]

  /// A topology.
  package init(streams: [StreamConfiguration] = [], consumers: [ConsumerConfiguration] = []) {
    self.streams = streams
    self.consumers = consumers
  }
}

extension JSONValue {
  /// The names of those of `wanted`'s members that are not so here, with both values.
  ///
  /// A member that is missing here counts as empty; arrays of strings are compared as sets.
  func differences(from wanted: JSONValue) -> [String] {
    (wanted.members ?? []).compactMap { member in
      let actual = self[member.name] ?? .null
      if actual.normalised == member.value.normalised || (actual.isEmpty && member.value.isEmpty) { return nil }
      return "\(member.name) is \(actual), wanted \(member.value)"
    }
  }

  private var normalised: JSONValue {
    guard let texts = array?.compactMap(\.string), texts.count == array?.count else { return self }
    return .array(texts.sorted().map { .string($0) })
  }
}
