package import HTTP

/// What `/healthz` and `/readyz` answer, on whatever port.
package enum HealthPages {
  /// The process lives.
  package static let alive = HTTPResponse.content("application/json", #"{"status":"ok"}"# + "\n")

  /// Whether the process can do its work: each of its dependencies, with the reason where it is not there. One that it can
  /// do without makes it degraded, and not unready.
  package static func ready(_ readiness: [Readiness]) -> HTTPResponse {
    let isReady = readiness.isReady
    let dependencies = readiness.map { dependency in
      let problem = dependency.problem.map { ",\"reason\":\(JSONText.quoted($0))" } ?? ""
      return "{\"name\":\(JSONText.quoted(dependency.name)),\"ready\":\(dependency.problem == nil),"
        + "\"required\":\(dependency.isRequired)\(problem)}"
    }
    let body =
      "{\"ready\":\(isReady),\"degraded\":\(readiness.isDegraded),\"dependencies\":["
      + "\(dependencies.joined(separator: ","))]}\n"
    return .content("application/json", body, status: isReady ? .ok : .serviceUnavailable)
  }
}
