internal import EventLoop
internal import JetStream
internal import RPC
internal import Schema
internal import Service

/// `gozon list`: the methods of every server.
struct ListCommand: Command {
  static let syntax = CommandSyntax(
    name: "list", summary: "Lists the services and methods of every server.",
    options: [
      .init(name: "all", help: "Also list what every server has: health and reflection."), .json, .backends, .timeout,
    ] + CommandSyntax.Option.rpcSecurity)

  private let all: Bool
  private let isJSON: Bool
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    all = arguments.flag("all")
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let catalog = await Backends.with(backends, on: loop) { await $0.catalog(timeout: timeout) }
    var table = TextTable("METHOD", "REQUEST", "RESPONSE", "HTTP", "SERVER", "ADDRESS")
    for server in catalog.servers {
      for service in all ? server.schemas.services : server.offered {
        for method in service.methods {
          let types = [method.request, method.response].map { server.schemas.messages[$0] }
          if isJSON {
            terminal.print("\(Self.json(method, of: service, types, server))")
          } else {
            table.append(
              "\(service.name).\(method.name)", types[0].name, types[1].name,
              method.routes.map(\.summary).joined(separator: ", "), server.name, "\(server.address)")
          }
        }
      }
    }
    if !isJSON, !catalog.servers.isEmpty { terminal.print(table.text) }
    for failure in catalog.failures { terminal.note(failure.report) }
    return catalog.failures.first.map { ExitStatus($0.code) } ?? .ok
  }

  private static func json(
    _ method: MethodDescriptor, of service: ServiceDescriptor, _ types: [MessageDescriptor], _ server: ReflectedServer
  ) -> JSONValue {
    [
      "method": .string("\(service.name).\(method.name)"), "service": .string(service.fullName),
      "request": .string(types[0].fullName), "response": .string(types[1].fullName),
      "http": .array(method.routes.map { .string($0.summary) }), "docs": .string(method.docs),
      "server": .string(server.name), "address": .string("\(server.address)"),
    ]
  }
}

extension HTTPBinding {
  /// Such as `GET /v1/orders/{id}`.
  var summary: String { "\(method.rawValue) \(path)" }
}
