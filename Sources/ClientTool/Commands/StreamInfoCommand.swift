internal import EventLoop
internal import JetStream
internal import JSON
internal import RPC

/// `gozon stream info`: one stream and its consumers.
struct StreamInfoCommand: Command {
  static let syntax = CommandSyntax(
    name: "stream info", summary: "Tells how a stream is configured, and how far its readers are.",
    details: """
      The services keep their places in their databases, lane by lane: how far payments is with ORDERS is read in its
      database, and how far orders is with PAYMENTS in that of orders. Consumers of others are kept by the broker.
      """,
    operands: [.init(name: "NAME", help: "Such as ORDERS.")],
    options: [.json, .ordersDatabase, .paymentsDatabase, .natsURL, .timeout])

  private let name: String
  private let isJSON: Bool
  private let url: String
  private let databases: [DatabaseName: String]
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.operand(0) ?? ""
    isJSON = arguments.flag("json")
    url = arguments.text("nats-url") ?? ""
    var databases: [DatabaseName: String] = [:]
    for name in [DatabaseName.orders, .payments] { databases[name] = arguments.databaseURL(name) }
    self.databases = databases
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    try await Streams.with(url: url, timeout: timeout, on: loop) { client in
      let stream = try await client.streamInfo(name)
      // Before our own looks at the lanes are among them.
      let consumers = try await client.listConsumers(stream: name)
      let lags = try await lags(stream, client, loop, terminal)
      if isJSON {
        var members = (stream.members ?? []) + [.init("consumers", .array(consumers))]
        if let lags { members.append(.init("readers", .array(lags.map(\.json)))) }
        terminal.print("\(JSONValue.object(members))")
      } else {
        terminal.print(Self.text(of: stream, consumers, lags))
      }
    }
    return .ok
  }

  /// How far the service is that reads the stream; nil when none does, or that cannot be found out.
  private func lags(
    _ stream: JSONValue, _ client: JetStreamClient, _ loop: EventLoop, _ terminal: Terminal
  ) async throws -> [ReaderLag]? {
    guard let reader = ReaderLag.reader(of: name) else { return nil }
    guard let database = databases[reader] else {
      terminal.note("set --database-url-\(reader) to see how far \(reader) is")
      return nil
    }
    return try await DatabaseSession.with(reader, url: database, timeout: timeout, on: loop) {
      try await ReaderLag.all(of: name, stream, readBy: reader, $0, client)
    }
  }

  /// What the broker says, for people.
  static func text(of stream: JSONValue, _ consumers: [JSONValue], _ lags: [ReaderLag]?) -> String {
    let (config, state) = (stream["config"] ?? .null, stream["state"] ?? .null)
    var properties = TextTable("PROPERTY", "VALUE")
    for name in ["name", "subjects", "storage", "retention", "num_replicas"] {
      properties.append(name, config.cell(name))
    }
    for name in ["duplicate_window", "max_age"] { properties.append(name, Self.time(config[name])) }
    for name in ["messages", "bytes", "first_seq", "first_ts", "last_seq", "last_ts"] {
      properties.append(name, state.cell(name))
    }
    let consumers = consumers.isEmpty ? "It has no consumers." : table(of: consumers).text
    return ([properties.text, consumers] + (lags.map { [ReaderLag.table(of: $0).text] } ?? []))
      .joined(separator: "\n\n")
  }

  private static func table(of consumers: [JSONValue]) -> TextTable {
    var table = TextTable([
      ("CONSUMER", .left), ("FILTER", .left), ("DELIVERED", .right), ("ACKNOWLEDGED", .right), ("PENDING", .right),
      ("UNACKNOWLEDGED", .right), ("REDELIVERED", .right),
    ])
    for consumer in consumers {
      let config = consumer["config"] ?? .null
      let filters = [config.cell("filter_subject"), config.cell("filter_subjects")].filter { !$0.isEmpty }
      table.append(
        consumer.cell("name"), filters.joined(separator: ","), consumer["delivered"]?.cell("stream_seq") ?? "",
        consumer["ack_floor"]?.cell("stream_seq") ?? "", consumer.cell("num_pending"), consumer.cell("num_ack_pending"),
        consumer.cell("num_redelivered"))
    }
    return table
  }

  /// The broker's nanoseconds as a time; 0 means no limit to it.
  private static func time(_ value: JSONValue?) -> String {
    guard let nanoseconds = value?.integer, nanoseconds > 0 else { return "none" }
    return "\(Duration.nanoseconds(nanoseconds))"
  }
}
