internal import EventLoop
internal import JetStream
internal import Messaging
internal import Wire

/// Which messages of a stream are wanted, and from where on.
struct MessageSelection: Sendable {
  /// The options that say it.
  static let options: [CommandSyntax.Option] = [
    .init(name: "subject", value: "FILTER", help: "Only what matches, such as 'orders.created.*'."),
    .init(name: "order", value: "ID", help: "Only what is about this order."),
    .init(name: "user", value: "ID", help: "Only what is about this user."),
    .init(name: "from", value: "SEQUENCE", help: "The first; -10 is the tenth from the end."),
    .init(
      name: "since", value: "TIME",
      help: "The first that came then or later: 2026-11-21T10:54:38Z, or so long ago, such as 10m."),
  ]

  /// Where to begin.
  private enum Start {
    case sequence(Int)
    case time(Timestamp)
    case age(Duration)
  }

  private let stream: String
  private let subject: String?
  private let order: UUID?
  private let user: UUID?
  private let start: Start?

  /// The selection of messages of `stream` that the options describe.
  init(_ stream: String, _ arguments: Arguments) throws(UsageError) {
    self.stream = stream
    subject = arguments.text("subject")
    order = try Self.id("order", arguments)
    user = try Self.id("user", arguments)
    let from = try arguments.integer("from", in: -1_000_000_000...(1 << 53))
    let since = try Self.since(arguments)
    if from != nil, since != nil { throw UsageError("--from and --since say different beginnings; give one of them") }
    start = from.map { .sequence($0) } ?? since
  }

  private static func id(_ name: String, _ arguments: Arguments) throws(UsageError) -> UUID? {
    guard let text = arguments.text(name) else { return nil }
    guard let id = UUID(text) else { throw UsageError("--\(name) must be a UUID, not '\(text)'") }
    return id
  }

  private static func since(_ arguments: Arguments) throws(UsageError) -> Start? {
    guard let text = arguments.text("since") else { return nil }
    if let time = Timestamp(text) { return .time(time) }
    if let age = Duration(argument: text), age > .zero { return .age(age) }
    throw UsageError("--since must be a time such as 2026-11-21T10:54:38Z, or how long ago, such as 10m, not '\(text)'")
  }

  /// Whether a beginning was given.
  var hasStart: Bool { start != nil }

  /// Whether messages are left out of what comes from the beginning on.
  var isFiltered: Bool { subject != nil || order != nil || user != nil }

  /// What the broker is asked for; it delivers nothing else. Of a user of the system's own streams it is one lane.
  var subjects: [String] {
    if let subject { return [subject] }
    let own = [EventStreams.orders, EventStreams.payments].first { $0.name == stream }
    guard let user, let own else { return [] }
    return own.subjects.map { "\($0.dropLast(2)).*.\(EventSubject.lane(of: user))" }
  }

  /// Whether a message that came is wanted.
  func wants(_ message: IncomingMessage) -> Bool {
    if let order, message.header(EventHeader.order).flatMap({ UUID($0) }) != order { return false }
    if let user, message.header(EventHeader.user).flatMap({ UUID($0) }) != user { return false }
    return true
  }

  /// Where the reading begins in a stream whose last message is `last`; at `otherwise` when nothing was said.
  ///
  /// - Parameter otherwise: a sequence; a negative one counts from the end.
  func readingStart(last: UInt64, otherwise: Int) -> ReadingStart {
    switch start ?? .sequence(otherwise) {
    case .sequence(let number):
      if number >= 0 { return .sequence(UInt64(max(1, number))) }
      let back = UInt64(number.magnitude)
      return .sequence(last >= back ? last - back + 1 : 1)
    case .time(let time): return .time("\(time)")
    case .age(let age):
      return .time("\(Timestamp(microseconds: Timestamp.now.microseconds - age.nanoseconds / 1_000))")
    }
  }
}
