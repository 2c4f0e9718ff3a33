internal import EventLoop
internal import JetStream
internal import RPC
internal import Service

/// `gozon stream tail`: the messages of a stream as they come.
struct StreamTailCommand: Command {
  static let syntax = CommandSyntax(
    name: "stream tail", summary: "Shows the messages of a stream as they come, until Ctrl-C.",
    details: """
      Messages are decoded by the schemas that the services have. Without --from and --since it begins with the next one;
      --from -10 shows the last ten first. When the broker is lost it waits for it, and goes on where it was.
      """,
    operands: [.init(name: "NAME", help: "Such as ORDERS.")],
    options: [.init(name: "limit", value: "N", help: "End after so many.")] + MessageSelection.options
      + [.json, .natsURL, .backends, .timeout] + CommandSyntax.Option.rpcSecurity)

  private let name: String
  private let limit: Int
  private let selection: MessageSelection
  private let isJSON: Bool
  private let url: String
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.operand(0) ?? ""
    limit = try arguments.integer("limit", in: 1...Int.max) ?? .max
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
    do {
      try await Streams.with(url: url, timeout: timeout, on: loop) { client in
        try await StreamReader.follow(
          client, stream: name, selection, countMax: limit, lost: { terminal.note($0) }
        ) { message in
          let shown = view.show(message)
          terminal.print(
            isJSON
              ? shown.json
              : "\(message.sequence)  \(message.time)  \(message.subject)  \(shown.type)  \(shown.text)")
        }
      }
    } catch is CancellationError {
      // Ctrl-C is how it ends.
    }
    return .ok
  }
}
