package import HTTP

/// What `/healthz` and `/readyz` answer, on whatever port.
package enum HealthPages {
  /// The process lives.
  package static let alive = HTTPResponse.content("application/json", #"{"status":"ok"}"# + "\n")

  /// Whether the process can do its work: each of its dependencies, with the reason where it is not there.
  package static func ready(_ readiness: [Readiness]) -> HTTPResponse {
    let isReady = readiness.allSatisfy { $0.problem == nil }
    let dependencies = readiness.map { dependency in
      let problem = dependency.problem.map { ",\"reason\":\(JSONText.quoted($0))" } ?? ""
      return "{\"name\":\(JSONText.quoted(dependency.name)),\"ready\":\(dependency.problem == nil)\(problem)}"
    }
    let body = "{\"ready\":\(isReady),\"dependencies\":[\(dependencies.joined(separator: ","))]}\n"
    return .content("application/json", body, status: isReady ? .ok : .serviceUnavailable)
  }
}
