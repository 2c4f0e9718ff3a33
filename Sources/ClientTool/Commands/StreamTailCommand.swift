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
    options: [.init(name: "limit", value: "N", help: "End after so many.")] + StreamSource.options)

  private let source: StreamSource
  private let limit: Int

  init(_ arguments: Arguments) throws(UsageError) {
    source = try StreamSource(arguments)
    limit = try arguments.integer("limit", in: 1...Int.max) ?? .max
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    var view = await source.view(on: loop, terminal)
    do {
      try await source.read(on: loop) { client in
        try await StreamReader.follow(
          client, stream: source.name, source.selection, countMax: limit, lost: { terminal.note($0) }
        ) { message in
          let shown = view.show(message)
          terminal.print(
            source.isJSON
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
