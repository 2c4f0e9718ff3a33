/// What a route must keep to fit its method, whether a schema gives it or somebody else; each problem a sentence.
package enum RouteRules {
  /// The statuses that a success may have: those with a body.
  package static func problem(ofStatus status: Int64) -> String? {
    if (200...299).contains(status), status != 204, status != 205 { return nil }
    return "the status of a success with a body is 200 to 299 but not 204 or 205"
  }

  /// The variables of a path are fields of the message that have one value that is no message.
  package static func problems(of path: PathTemplate, variablesFrom message: MessageDescriptor) -> [String] {
    var problems: [String] = []
    var names: Set<String> = []
    for name in path.variables {
      if !names.insert(name).inserted { problems.append("the path has {\(name)} twice") }
      guard let field = message.field(named: name) else {
        problems.append(unknown(name, in: message))
        continue
      }
      if !field.fitsPath { problems.append("'\(name)' cannot stand in a path: it is no single value") }
    }
    return problems
  }

  /// What `Location` is made of is always there.
  package static func problem(ofLocation path: PathTemplate, of response: MessageDescriptor) -> String? {
    let isUncertain = response.fields.contains { path.variables.contains($0.name) && $0.cardinality != .one }
    return isUncertain ? "a field in the location must never be absent" : nil
  }

  /// What comes from a query must be readable from a text, or from one for each element.
  package static func problems(ofQuery binding: HTTPBinding, request: MessageDescriptor) -> [String] {
    request.fields.filter { field in
      if case .query = binding.place(of: field) { !field.fitsQuery } else { false }
    }.map { "'\($0.name)' of \(request.name) cannot come from a query: it is a message; use POST" }
  }

  /// What browsers and proxies repeat at will must bear that.
  package static let getIsRepeated = "browsers and proxies repeat a GET at will; mark the method @idempotent"

  /// There is no such field.
  package static func unknown(_ name: String, in message: MessageDescriptor) -> String {
    "\(message.name) has no field '\(name)'" + suggestion(for: name, among: message.fields.map(\.name))
  }
}
