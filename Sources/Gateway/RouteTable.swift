package import Schema

/// All routes, found by path and method. A value: a new one is made when the backends offer something else.
package struct RouteTable: Sendable {
  /// What a path and a method lead to.
  package enum Match: Sendable {
    /// The route, and the path's variables in the order of its template, still percent-encoded.
    case found(Route, variables: [ArraySlice<UInt8>])
    /// The path exists; these methods of it do (RFC 9110 section 15.5.6).
    case methodNotAllowed(allowed: [String])
    case notFound
  }

  /// A place in the tree of path segments.
  private struct Node: Sendable {
    var literals: [(segment: [UInt8], node: Int)] = []
    var variable: Int?
    /// Indexes of the routes that end here.
    var routes: [Int] = []
  }

  /// Every route, in the order of the backends and of their schemas.
  package private(set) var routes: [Route] = []
  /// Routes that were left out because another backend had them first, a sentence each.
  package private(set) var conflicts: [String] = []
  /// What is wrong with routes of the file that were left out.
  package private(set) var fileErrors: [RouteFileError] = []
  private var nodes = [Node()]

  /// The routes that backends offer. Where two offer the same route for different methods, the first one has it;
  /// where they offer the same method, they share it. The routes of `file` come behind those of the schemas.
  ///
  /// - Parameter statistics: keeps what became of their requests from one table to the next.
  package init(
    _ offers: [(backend: BackendServer, translator: JSONTranslator)] = [], _ file: RouteFile = RouteFile(),
    statistics: GatewayStatistics = GatewayStatistics()
  ) {
    for (backend, translator) in offers {
      for method in translator.schemas.services.flatMap(\.methods) {
        for binding in method.routes {
          add(
            Route(
              binding: binding, method: method, translator: translator, backends: [backend],
              statistics: statistics.of(binding.method.rawValue, binding.path.description)))
        }
      }
    }
    add(file, offers, statistics)
  }

  private mutating func add(_ file: RouteFile, _ offers: RouteFile.Offers, _ statistics: GatewayStatistics) {
    let (resolved, errors) = file.resolved(by: offers, statistics)
    fileErrors = errors
    for (line, route) in resolved {
      let node = place(of: route.binding.path)
      if let index = nodes[node].routes.first(where: { routes[$0].binding.method == route.binding.method }) {
        let name = "\(route.binding.method.rawValue) \(route.binding.path)"
        fileErrors.append(
          RouteFileError(line: line, message: "\(name) is a route to \(routes[index].method.fullName) already"))
        continue
      }
      nodes[node].routes.append(routes.count)
      routes.append(route)
    }
  }

  private mutating func add(_ route: Route) {
    let node = place(of: route.binding.path)
    if let index = nodes[node].routes.first(where: { routes[$0].binding.method == route.binding.method }) {
      let first = routes[index]
      guard first.method.fullName == route.method.fullName, first.method.id == route.method.id else {
        let name = "\(route.binding.method.rawValue) \(route.binding.path)"
        conflicts.append("\(name) stays with \(first.method.fullName); \(route.method.fullName) is not reachable by it")
        return
      }
      routes[index] = first.joined(by: route.backends)
      return
    }
    nodes[node].routes.append(routes.count)
    routes.append(route)
  }

  private mutating func place(of path: PathTemplate) -> Int {
    var node = 0
    for segment in path.segments {
      switch segment {
      case .variable: node = variable(of: node)
      case .literal(let text): node = literal(Array(text.utf8), of: node)
      }
    }
    return node
  }

  private mutating func variable(of node: Int) -> Int {
    if let known = nodes[node].variable { return known }
    nodes.append(Node())
    nodes[node].variable = nodes.count - 1
    return nodes.count - 1
  }

  private mutating func literal(_ segment: [UInt8], of node: Int) -> Int {
    if let known = nodes[node].literals.first(where: { $0.segment == segment }) { return known.node }
    nodes.append(Node())
    nodes[node].literals.append((segment, nodes.count - 1))
    return nodes.count - 1
  }

  /// Finds the route of a request. HEAD goes where GET goes; a literal segment wins over a variable.
  package func match(_ method: String, _ path: ArraySlice<UInt8>) -> Match {
    var variables: [ArraySlice<UInt8>] = []
    guard path.first == UInt8(ascii: "/"), let node = find(path.dropFirst(), below: 0, &variables) else {
      return .notFound
    }
    let wanted = method == "HEAD" ? "GET" : method
    if let index = nodes[node].routes.first(where: { routes[$0].binding.method.rawValue == wanted }) {
      return .found(routes[index], variables: variables)
    }
    return .methodNotAllowed(allowed: allowed(nodes[node]))
  }

  /// Walks down the tree, and back up where a literal led nowhere: to the node of `path`, which stands behind a slash.
  private func find(_ path: ArraySlice<UInt8>, below node: Int, _ variables: inout [ArraySlice<UInt8>]) -> Int? {
    let slash = path.firstIndex(of: UInt8(ascii: "/"))
    let segment = path[..<(slash ?? path.endIndex)]
    func goOn(_ node: Int) -> Int? {
      if let slash { return find(path[(slash + 1)...], below: node, &variables) }
      return nodes[node].routes.isEmpty ? nil : node
    }
    for literal in nodes[node].literals where literal.segment.elementsEqual(segment) {
      if let found = goOn(literal.node) { return found }
    }
    guard !segment.isEmpty, let variable = nodes[node].variable else { return nil }
    variables.append(segment)
    if let found = goOn(variable) { return found }
    variables.removeLast()
    return nil
  }

  private func allowed(_ node: Node) -> [String] {
    let methods = node.routes.map { routes[$0].binding.method.rawValue }
    return (methods + (methods.contains("GET") ? ["HEAD"] : []) + ["OPTIONS"]).sorted()
  }
}
