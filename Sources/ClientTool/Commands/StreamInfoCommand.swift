internal import EventLoop
internal import JetStream
internal import JSON

/// `gozon stream info`: one stream and its consumers.
struct StreamInfoCommand: Command {
  static let syntax = CommandSyntax(
    name: "stream info", summary: "Tells how a stream is configured, and how far its consumers are.",
    operands: [.init(name: "NAME", help: "Such as ORDERS.")], options: [.json, .natsURL, .timeout])

  private let name: String
  private let isJSON: Bool
  private let url: String
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.operand(0) ?? ""
    isJSON = arguments.flag("json")
    url = arguments.text("nats-url") ?? ""
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let (stream, consumers) = try await Streams.with(url: url, timeout: timeout, on: loop) { client in
      (try await client.streamInfo(name), try await client.listConsumers(stream: name))
    }
    if isJSON {
      terminal.print("\(JSONValue.object((stream.members ?? []) + [.init("consumers", .array(consumers))]))")
    } else {
      terminal.print(Self.text(of: stream, consumers))
    }
    return .ok
  }

  /// What the broker says, for people.
  static func text(of stream: JSONValue, _ consumers: [JSONValue]) -> String {
    let (config, state) = (stream["config"] ?? .null, stream["state"] ?? .null)
    var properties = TextTable("PROPERTY", "VALUE")
    for name in ["name", "subjects", "storage", "retention", "num_replicas"] {
      properties.append(name, config.cell(name))
    }
    for name in ["duplicate_window", "max_age"] { properties.append(name, Self.time(config[name])) }
    for name in ["messages", "bytes", "first_seq", "first_ts", "last_seq", "last_ts"] {
      properties.append(name, state.cell(name))
    }
    return "\(properties.text)\n\n\(consumers.isEmpty ? "It has no consumers." : table(of: consumers).text)"
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
