internal import EventLoop
internal import JetStream
internal import JSON
internal import RPC
internal import Schema
internal import Service

/// `gozon list`: the methods of every server.
struct ListCommand: Command {
  static let syntax = CommandSyntax(
    name: "list", summary: "Lists the services and methods of every server.",
    options: [
      .init(name: "all", help: "Also list what every server has: health, reflection and inspection."), .json, .backends,
      .timeout,
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
          if isJSON {
            terminal.print("\(Self.json(method, of: service, server))")
          } else {
            table.append(
              "\(service.name).\(method.name)", method.requestName(in: server.schemas),
              method.responseName(in: server.schemas),
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
    _ method: MethodDescriptor, of service: ServiceDescriptor, _ server: ReflectedServer
  ) -> JSONValue {
    let messages = server.schemas.messages
    return [
      "method": .string("\(service.name).\(method.name)"), "service": .string(service.fullName),
      "shape": .string(method.shape),
      "request": .string(messages[method.request].fullName), "requestIsStream": .bool(method.requestIsStream),
      "response": .string(messages[method.response].fullName), "responseIsStream": .bool(method.responseIsStream),
      "http": .array(method.routes.map { .string($0.summary) }), "docs": .string(method.docs),
      "server": .string(server.name), "address": .string("\(server.address)"),
    ]
  }
}

extension HTTPBinding {
  /// Such as `GET /v1/orders/{id}`.
  var summary: String { "\(method.rawValue) \(path)" }
}
