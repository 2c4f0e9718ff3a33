internal import EventLoop
internal import JSON

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

  /// Whether Go's `omitempty` would leave it out: JetStream does, so an absent member and an empty one mean the same.
  private var isEmpty: Bool {
    switch self {
    case .null: true
    case .bool(let value): !value
    case .integer(let number): number == 0
    case .unsigned(let number): number == 0
    case .number(let number): number == 0
    case .string(let text): text.isEmpty
    case .array(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    }
  }

  private var normalised: JSONValue {
    guard let texts = array?.compactMap(\.string), texts.count == array?.count else { return self }
    return .array(texts.sorted().map { .string($0) })
  }
}
