internal import EventLoop
internal import JetStream
internal import RPC
internal import Schema
internal import Service

/// `gozon describe`: what a name of the schemas means.
struct DescribeCommand: Command {
  static let syntax = CommandSyntax(
    name: "describe", summary: "Describes a service, a method, a message or an enum.",
    operands: [
      .init(
        name: "NAME", completion: .name, help: "Such as Orders, Orders.CreateOrder, Order or gozon.orders.OrderStatus.")
    ],
    options: [
      .init(
        name: "template",
        help: "Print only an example of the method's request, or of the message: a line of JSON for gozon call."),
      .json, .backends, .timeout,
    ] + CommandSyntax.Option.rpcSecurity)

  private let name: String
  private let isTemplate: Bool
  private let isJSON: Bool
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.operand(0) ?? ""
    isTemplate = arguments.flag("template")
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: timeout) }
    let entries = try catalog.entries(named: name)
    if isTemplate {
      terminal.print(try Self.template(of: entries, name))
    } else if isJSON {
      for entry in entries { terminal.print("\(Description(schemas: entry.schemas).json(of: entry))") }
    } else {
      terminal.print(
        entries.map { Description(schemas: $0.schemas).text(of: $0) }.joined(separator: "\n\n"))
    }
    return .ok
  }

  /// The example of the first of them that has one, a method before a message of the same name.
  private static func template(of entries: [Catalog.Entry], _ name: String) throws(RPCError) -> String {
    func example(_ entry: Catalog.Entry, _ message: MessageDescriptor) -> String {
      String(decoding: Description(schemas: entry.schemas).example(of: message), as: UTF8.self)
    }
    for entry in entries {
      if case .method(_, let method) = entry.kind { return example(entry, entry.schemas.messages[method.request]) }
    }
    for entry in entries { if case .message(let message) = entry.kind { return example(entry, message) } }
    throw RPCError(.invalidArgument, "'\(name)' has no template: name a method or a message")
  }
}
