internal import EventLoop
internal import JetStream
internal import RPC
internal import Service

/// `gozon describe`: what a name of the schemas means.
struct DescribeCommand: Command {
  static let syntax = CommandSyntax(
    name: "describe", summary: "Describes a service, a method, a message or an enum.",
    operands: [.init(name: "NAME", help: "Such as Orders, Orders.CreateOrder, Order or gozon.orders.OrderStatus.")],
    options: [.json, .backends, .timeout] + CommandSyntax.Option.rpcSecurity)

  private let name: String
  private let isJSON: Bool
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    name = arguments.operand(0) ?? ""
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: timeout) }
    let entries = try catalog.entries(named: name)
    if isJSON {
      for entry in entries { terminal.print("\(Description(schemas: entry.schemas).json(of: entry))") }
    } else {
      terminal.print(
        entries.map { Description(schemas: $0.schemas).text(of: $0) }.joined(separator: "\n\n"))
    }
    return .ok
  }
}
