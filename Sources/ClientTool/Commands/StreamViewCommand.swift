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
    options: [.init(name: "limit", value: "N", defaultValue: "20", help: "At most so many.")] + StreamSource.options)

  private let source: StreamSource
  private let limit: Int

  init(_ arguments: Arguments) throws(UsageError) {
    source = try StreamSource(arguments)
    limit = try arguments.integer("limit", in: 1...1_000_000) ?? 20
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    var view = await source.view(on: loop, terminal)
    var table = TextTable([
      ("SEQUENCE", .right), ("TIME", .left), ("SUBJECT", .left), ("TYPE", .left), ("MESSAGE", .left),
    ])
    try await source.read(on: loop) { client in
      try await StreamReader.read(
        client, stream: source.name, source.selection, otherwise: source.selection.isFiltered ? 1 : -limit,
        countMax: limit
      ) { message in
        let shown = view.show(message)
        if source.isJSON {
          terminal.print(shown.json)
        } else {
          table.append("\(message.sequence)", message.time, message.subject, shown.type, shown.text)
        }
      }
    }
    if !source.isJSON { terminal.print(table.text) }
    return .ok
  }
}
