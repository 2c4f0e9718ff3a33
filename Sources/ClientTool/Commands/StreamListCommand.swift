internal import EventLoop
internal import JetStream
internal import JSON

/// `gozon stream ls`: the streams of the broker.
struct StreamListCommand: Command {
  static let syntax = CommandSyntax(
    name: "stream ls", summary: "Lists the streams.", options: [.json, .natsURL, .timeout])

  private let isJSON: Bool
  private let url: String
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    isJSON = arguments.flag("json")
    url = arguments.text("nats-url") ?? ""
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let streams = try await Streams.with(url: url, timeout: timeout, on: loop) { try await $0.listStreams() }
    if isJSON {
      for stream in streams { terminal.print("\(stream)") }
    } else {
      terminal.print(Self.table(of: streams).text)
    }
    return .ok
  }

  /// A line for each stream, as the broker describes it.
  static func table(of streams: [JSONValue]) -> TextTable {
    var table = TextTable([
      ("STREAM", .left), ("SUBJECTS", .left), ("MESSAGES", .right), ("BYTES", .right), ("FIRST", .right),
      ("LAST", .right), ("CONSUMERS", .right),
    ])
    for stream in streams {
      let (config, state) = (stream["config"] ?? .null, stream["state"] ?? .null)
      table.append(
        config.cell("name"), config.cell("subjects"), state.cell("messages"), state.cell("bytes"),
        state.cell("first_seq"), state.cell("last_seq"), state.cell("consumer_count"))
    }
    return table
  }
}

extension JSONValue {
  /// A member as a cell of a table: text without quotes, elements separated by commas, nothing when it is missing.
  func cell(_ name: String) -> String {
    switch self[name] {
    case nil, .null: ""
    case .string(let text): text
    case .array(let elements): elements.map { $0.string ?? $0.description }.joined(separator: ",")
    case let value?: value.description
    }
  }
}
