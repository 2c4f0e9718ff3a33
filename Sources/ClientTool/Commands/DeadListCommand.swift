internal import EventLoop
internal import JetStream
internal import JSON
internal import RPC
internal import Service

/// `gozon dead ls`: the messages that could not be processed.
struct DeadListCommand: Command {
  static let syntax = CommandSyntax(
    name: "dead ls", summary: "Lists the messages that could not be processed, with the reason.",
    options: [.json, .natsURL, .timeout])

  private let isJSON: Bool
  private let url: String
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    isJSON = arguments.flag("json")
    url = arguments.text("nats-url") ?? ""
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    var table = TextTable([
      ("SEQUENCE", .right), ("TIME", .left), ("FROM", .left), ("SUBJECT", .left), ("TYPE", .left), ("ORDER", .left),
      ("REASON", .left),
    ])
    try await Streams.with(url: url, timeout: timeout, on: loop) { client in
      try await DeadLetterReader(client).forEach { letter in
        if isJSON { return terminal.print("\(letter.json)") }
        table.append(
          "\(letter.message.sequence)", letter.message.time, letter.origin, letter.subject, letter.type, letter.order,
          letter.reason)
      }
    }
    if !isJSON { terminal.print(table.text) }
    return .ok
  }
}

extension StoredLetter {
  fileprivate var type: String { message.headers[MessageView.typeHeader] ?? "" }

  fileprivate var json: JSONValue {
    [
      "sequence": .integer(Int64(clamping: message.sequence)), "time": .string(message.time), "from": .string(origin),
      "subject": .string(subject), "type": .string(type), "order": .string(order), "reason": .string(reason),
    ]
  }
}
