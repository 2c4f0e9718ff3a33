internal import Schema
internal import Wire

extension RouteFile {
  /// What the servers offer: each with the schemas that it reflected.
  typealias Offers = [(backend: BackendServer, translator: JSONTranslator)]

  /// The routes to the methods that `offers` have, each with its line, and what is wrong with the others.
  func resolved(
    by offers: Offers, _ statistics: GatewayStatistics
  ) -> (routes: [(line: Int, route: Route)], errors: [RouteFileError]) {
    let targets = Targets(offers)
    var routes: [(line: Int, route: Route)] = []
    var errors: [RouteFileError] = []
    for entry in entries {
      guard let target = targets.found(entry.target) else {
        errors.append(RouteFileError(line: entry.line, message: targets.problem(entry.target)))
        continue
      }
      let route = Route(
        binding: entry.binding, method: target.method, translator: target.translator, backends: target.backends,
        statistics: statistics.of(entry.method.rawValue, entry.path.description))
      let problems = Self.problems(of: entry, route)
      if problems.isEmpty { routes.append((entry.line, route)) }
      errors += problems
    }
    return (routes, errors)
  }

  // MARK: Rules

  /// What does not fit between a route and its method.
  private static func problems(of entry: Entry, _ route: Route) -> [RouteFileError] {
    let messages = route.translator.schemas.messages
    let (request, response) = (messages[route.method.request], messages[route.method.response])
    var problems = RouteRules.problems(of: entry.path, variablesFrom: request)
    if let location = entry.location {
      problems += RouteRules.problems(of: location, variablesFrom: response)
      if let problem = RouteRules.problem(ofLocation: location, of: response) { problems.append(problem) }
    }
    problems += RouteRules.problems(ofQuery: entry.binding, request: request)
    if entry.method == .get, !route.method.isIdempotent {
      problems.append("browsers and proxies repeat a GET at will, and \(route.method.name) bears no repeat; use POST")
    }
    if route.method.requestIsStream || route.method.responseIsStream && entry.method != .get {
      problems.append("HTTP carries one request, and asks for a stream of responses with GET only")
    }
    return problems.map { RouteFileError(line: entry.line, message: $0) } + sourceProblems(of: entry, route, request)
  }

  private static func sourceProblems(
    of entry: Entry, _ route: Route, _ request: MessageDescriptor
  ) -> [RouteFileError] {
    var seen: Set<String> = Set(entry.path.variables)
    return entry.sources.compactMap { line, source in
      guard let field = request.field(named: source.field) else {
        return RouteFileError(line: line, message: RouteRules.unknown(source.field, in: request))
      }
      guard seen.insert(field.name).inserted else {
        return RouteFileError(line: line, message: "'\(field.name)' has a value already")
      }
      let problem =
        cursorProblem(source, request) ?? constantProblem(source, route) ?? nameProblem(source, entry.binding, request)
      return problem.map { RouteFileError(line: line, message: $0) }
    }
  }

  /// A stream is taken up elsewhere by the gateway, with the cursor that it had last.
  private static func cursorProblem(_ source: FieldSource, _ request: MessageDescriptor) -> String? {
    if case .query = source.place { return nil }
    guard request.cursor?.name == source.field else { return nil }
    return "'\(source.field)' says where a stream goes on; take it from the query"
  }

  /// Two fields of one name could not be told apart.
  private static func nameProblem(
    _ source: FieldSource, _ binding: HTTPBinding, _ request: MessageDescriptor
  ) -> String? {
    let others = request.fields.filter { $0.name != source.field && binding.place(of: $0) == source.place }
    if case .constant = source.place { return nil }
    return others.first.map { "'\($0.name)' comes by that name already" }
  }

  /// Why a constant is no value of its field.
  private static func constantProblem(_ source: FieldSource, _ route: Route) -> String? {
    guard case .constant(let text) = source.place else { return nil }
    var builder = route.translator.builder(of: route.method.request)
    builder.set(source.field, fromText: text)
    do throws(RequestErrors) {
      _ = try builder.encode()
      return nil
    } catch {
      let own = error.violations.first { $0.pointer.split(separator: "/").first.map(String.init) == source.field }
      return own.map { "'\(source.field)' \($0.detail)" }
    }
  }
}

/// The methods that can be called, by their names.
private struct Targets {
  struct Target {
    let method: MethodDescriptor
    let translator: JSONTranslator
    var backends: [BackendServer]
  }

  private var targets: [String: Target] = [:]
  /// The full names by `Service.Method`.
  private var fullNames: [String: Set<String>] = [:]

  init(_ offers: RouteFile.Offers) {
    for (backend, translator) in offers {
      for service in translator.schemas.services {
        for method in service.methods {
          fullNames["\(service.name).\(method.name)", default: []].insert(method.fullName)
          if targets[method.fullName]?.method.id == method.id {
            targets[method.fullName]?.backends.append(backend)
          } else if targets[method.fullName] == nil {
            targets[method.fullName] = Target(method: method, translator: translator, backends: [backend])
          }
        }
      }
    }
  }

  /// The method of a name such as `Orders.GetOrder`, `gozon.orders.Orders.GetOrder` or `gozon.orders.Orders/GetOrder`.
  func found(_ name: String) -> Target? {
    if let target = targets[name] { return target }
    if let names = fullNames[name] { return names.count == 1 ? targets[names.first!] : nil }
    guard let dot = name.lastIndex(of: ".") else { return nil }
    return targets[name[..<dot] + "/" + name[name.index(after: dot)...]]
  }

  /// Why a name is not found.
  func problem(_ name: String) -> String {
    if let names = fullNames[name], names.count > 1 {
      return "'\(name)' has several meanings; write \(names.sorted().joined(separator: " or "))"
    }
    return "there is no method '\(name)'"
      + suggestion(for: name, among: fullNames.keys.sorted() + targets.keys.sorted())
  }
}
