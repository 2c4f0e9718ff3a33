internal import EventLoop
internal import JetStream
internal import RPC
internal import Service

/// `gozon stream view`: the messages of a stream.
struct StreamViewCommand: Command {
  static let syntax = CommandSyntax(
    name: "stream view", summary: "Shows the messages of a stream, decoded by their schema.",
    details: """
      The schemas come from the services; a message that none of them knows is shown by its size. Without --from and --since
      it shows the newest, and with a filter the oldest.
      """,
    operands: [.init(name: "NAME", help: "Such as ORDERS.")],
    options: [.init(name: "limit", value: "N", defaultValue: "20", help: "At most so many.")]
      + MessageSelection.options + [.json, .natsURL, .backends, .timeout] + CommandSyntax.Option.rpcSecurity)

  private let name: String
  private let limit: Int
  private let selection: MessageSelection
  private let isJSON: Bool
  private let url: String
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.operand(0) ?? ""
    limit = try arguments.integer("limit", in: 1...1_000_000) ?? 20
    selection = try MessageSelection(name, arguments)
    isJSON = arguments.flag("json")
    url = arguments.text("nats-url") ?? ""
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: timeout) }
    for failure in catalog.failures { terminal.note(failure.message) }
    var view = MessageView(catalog)
    var table = TextTable([
      ("SEQUENCE", .right), ("TIME", .left), ("SUBJECT", .left), ("TYPE", .left), ("MESSAGE", .left),
    ])
    try await Streams.with(url: url, timeout: timeout, on: loop) { client in
      try await StreamReader.read(
        client, stream: name, selection, otherwise: selection.isFiltered ? 1 : -limit, countMax: limit
      ) { message in
        let shown = view.show(message)
        if isJSON {
          terminal.print(shown.json)
        } else {
          table.append("\(message.sequence)", message.time, message.subject, shown.type, shown.text)
        }
      }
    }
    if !isJSON { terminal.print(table.text) }
    return .ok
  }
}
