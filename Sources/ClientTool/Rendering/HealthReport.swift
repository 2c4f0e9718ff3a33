internal import JetStream
internal import JSON
internal import RPC
internal import Service

/// The health of one server, as it is shown.
struct HealthReport: Equatable, Sendable {
  let address: Address
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

  /// On one line: what is not well, with its reason.
  var line: String {
    let problems = dependencies.filter { $0.status != .serving }.map { dependency in
      dependency.reason.isEmpty ? dependency.name : "\(dependency.name): \(dependency.reason)"
    }
    let why = ([reason] + problems).filter { !$0.isEmpty }.joined(separator: "; ")
    return ["\(address)", name, status, why].filter { !$0.isEmpty }.joined(separator: "  ")
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
