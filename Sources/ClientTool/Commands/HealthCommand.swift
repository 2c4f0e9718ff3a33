internal import EventLoop
internal import JetStream
internal import RPC
internal import Service

/// `gozon health`: whether every server is ready, and each of its dependencies.
struct HealthCommand: Command {
  static let syntax = CommandSyntax(
    name: "health", summary: "Tells whether every server and each of its dependencies is ready.",
    details: "Exits 1 when anything is not.", options: [.json, .backends, .timeout] + CommandSyntax.Option.rpcSecurity)

  private let isJSON: Bool
  private let backends: BackendTargets
  private let timeout: Duration

  init(_ arguments: Arguments) throws(UsageError) {
    isJSON = arguments.flag("json")
    backends = try arguments.backends()
    timeout = try arguments.duration("timeout") ?? .seconds(10)
  }

  func run(on loop: EventLoop, _ terminal: Terminal) async throws -> ExitStatus {
    let options = CallOptions(timeout: timeout)
    let answers = await Backends.with(backends, on: loop) { backends in
      await backends.ask { _, client in
        let server = ServerClient(client)
        return (
          name: try await server.reflect(ReflectRequest(), options: options).server,
          health: try await server.checkHealth(CheckHealthRequest(), options: options)
        )
      }
    }
    let reports = zip(backends.addresses, answers).map { address, answer in
      switch answer {
      case .success(let server): HealthReport(address, server.name, server.health)
      case .failure(let error): HealthReport(address, unreachable: error.message)
      }
    }
    if isJSON {
      for report in reports { terminal.print("\(report.json)") }
    } else {
      terminal.print(HealthReport.table(of: reports).text)
    }
    return reports.allSatisfy(\.isWell) ? .ok : .notWell
  }
}

/// The health of one server, as it is shown.
struct HealthReport: Sendable {
  private let address: Address
  private let name: String
  private let status: String
  private let reason: String
  private let dependencies: [DependencyHealth]

  /// A server that answered.
  init(_ address: Address, _ name: String, _ health: CheckHealthResponse) {
    self.address = address
    self.name = name
    status = health.status.name
    reason = ""
    dependencies = health.dependencies
  }

  /// A server that did not answer.
  init(_ address: Address, unreachable reason: String) {
    self.address = address
    name = ""
    status = "UNREACHABLE"
    self.reason = reason
    dependencies = []
  }

  var isWell: Bool { status == ServingStatus.serving.name }

  static func table(of reports: [HealthReport]) -> TextTable {
    var table = TextTable("ADDRESS", "SERVER", "DEPENDENCY", "STATUS", "REASON")
    for report in reports {
      table.append("\(report.address)", report.name, "", report.status, report.reason)
      for dependency in report.dependencies {
        table.append("", "", dependency.name, dependency.status.name, dependency.reason)
      }
    }
    return table
  }

  var json: JSONValue {
    [
      "address": .string("\(address)"), "server": .string(name), "status": .string(status), "reason": .string(reason),
      "dependencies": .array(
        dependencies.map {
          ["name": .string($0.name), "status": .string($0.status.name), "reason": .string($0.reason)]
        }),
    ]
  }
}
