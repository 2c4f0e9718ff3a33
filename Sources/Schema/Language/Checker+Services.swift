extension Checker {
  mutating func checkServices(messages: [MessageDescriptor]) -> [ServiceDescriptor] {
    var services: [ServiceDescriptor] = []
    var numbers: [Int64: String] = [:]
    var routes: [String: String] = [:]
    for file in syntax.indices {
      for declaration in syntax[file].services {
        let name = fullName(declaration.name.value, in: file)
        requireDocs(declaration.docs, of: "service", in: file, at: declaration.name.position)
        if let first = numbers.updateValue(name, forKey: declaration.number.value) {
          report(
            "\(first) has the number \(declaration.number.value) already", in: file, at: declaration.number.position)
        }
        guard let number = checkNumber(declaration.number, of: "service", in: file) else { continue }
        let methods = checkMethods(declaration, name, number, messages: messages, routes: &routes, in: file)
        services.append(
          ServiceDescriptor(
            name: declaration.name.value, fullName: name, number: number, methods: methods, file: file,
            docs: declaration.docs, position: declaration.name.position))
      }
    }
    return services
  }

  private mutating func checkNumber(_ number: Located<Int64>, of what: String, in file: Int) -> UInt8? {
    if let value = UInt8(exactly: number.value), value > 0 { return value }
    report("the number of a \(what) is 1 to 255, not \(number.value)", in: file, at: number.position)
    return nil
  }

  private mutating func checkMethods(
    _ service: ServiceSyntax, _ serviceName: String, _ serviceNumber: UInt8, messages: [MessageDescriptor],
    routes: inout [String: String], in file: Int
  ) -> [MethodDescriptor] {
    var names: Set<String> = []
    var numbers: [Int64: String] = [:]
    var methods: [MethodDescriptor] = []
    for declaration in service.methods {
      let name = declaration.name
      requireDocs(declaration.docs, of: "method", in: file, at: name.position)
      if !isUpperCamelCase(name.value) {
        report("'\(name.value)' must be in UpperCamelCase, such as 'CreateOrder'", in: file, at: name.position)
      }
      if !names.insert(name.value).inserted {
        report("the service has a method '\(name.value)' already", in: file, at: name.position)
      }
      if let first = numbers.updateValue(name.value, forKey: declaration.number.value) {
        report(
          "'\(first)' has the number \(declaration.number.value) already", in: file, at: declaration.number.position)
      }
      let number = checkNumber(declaration.number, of: "method", in: file)
      let request = resolveMessage(declaration.request.message, in: file)
      let response = resolveMessage(declaration.response.message, in: file)
      guard let number, let request, let response else { continue }
      let method = checkMethod(
        declaration, "\(serviceName)/\(name.value)", UInt16(serviceNumber) << 8 | UInt16(number), request: request,
        response: response, messages: messages, in: file)
      for route in method.routes { claim(route, of: method, &routes, declaration, in: file) }
      methods.append(method)
    }
    return methods
  }

  private mutating func checkMethod(
    _ declaration: MethodSyntax, _ fullName: String, _ id: UInt16, request: Int, response: Int,
    messages: [MessageDescriptor], in file: Int
  ) -> MethodDescriptor {
    checkRepeats(declaration.marks, except: "http", in: file)
    var routes: [HTTPBinding] = []
    var flags: Set<String> = []
    var access: AccessRule?
    for mark in declaration.marks {
      switch mark.name.value {
      case "http":
        checkStreams(of: declaration, mark, in: file)
        if let route = checkRoute(mark, request: messages[request], response: messages[response], in: file) {
          routes.append(route)
        }
      case "idempotent", "idempotencyKey":
        flags.insert(mark.name.value)
        checkStreams(of: declaration, mark, in: file)
        if !mark.arguments.isEmpty {
          report("@\(mark.name.value) takes no arguments", in: file, at: mark.name.position)
        }
      case "access": access = checkAccess(mark, of: declaration, request: messages[request], in: file)
      default:
        reportUnknown(mark, known: ["http", "idempotent", "idempotencyKey", "access"], of: "method", in: file)
      }
    }
    if flags.count == 2 {
      report("an idempotent method needs no key; keep one of the two marks", in: file, at: declaration.name.position)
    }
    if routes.contains(where: { $0.method == .get }), !flags.contains("idempotent") {
      report(RouteRules.getIsRepeated, in: file, at: declaration.name.position)
    }
    return MethodDescriptor(
      name: declaration.name.value, fullName: fullName, number: UInt8(truncatingIfNeeded: id), id: id,
      request: request, response: response, requestIsStream: declaration.request.isStream,
      responseIsStream: declaration.response.isStream, routes: routes, isIdempotent: flags.contains("idempotent"),
      takesIdempotencyKey: flags.contains("idempotencyKey"), access: access, docs: declaration.docs,
      position: declaration.name.position)
  }

  /// Refuses the marks that a stream cannot keep.
  private mutating func checkStreams(of declaration: MethodSyntax, _ mark: MarkSyntax, in file: Int) {
    let isRoute = mark.name.value == "http"
    if declaration.request.isStream {
      let reason =
        isRoute ? "HTTP carries one request; a stream of them has no route" : "a client cannot repeat a stream"
      report("\(reason); remove @\(mark.name.value)", in: file, at: mark.name.position)
    } else if declaration.response.isStream, isRoute {
      checkStreamRoute(mark, in: file)
    }
  }

  /// A stream of responses goes out as server-sent events, which are asked for with GET and begin before anything is
  /// known about the responses.
  private mutating func checkStreamRoute(_ mark: MarkSyntax, in file: Int) {
    if let verb = mark.arguments.first, verb.value != .word("GET") {
      report("HTTP asks for a stream of responses with GET only", in: file, at: verb.position)
    }
    for argument in mark.arguments.dropFirst(2) {
      report("a route to a stream of responses has a path and nothing behind it", in: file, at: argument.position)
    }
  }

  /// Two methods never have a route that matches the same requests.
  private mutating func claim(
    _ route: HTTPBinding, of method: MethodDescriptor, _ routes: inout [String: String], _ declaration: MethodSyntax,
    in file: Int
  ) {
    let shape = "\(route.method.rawValue) \(route.path.shape)"
    guard let owner = routes.updateValue(method.fullName, forKey: shape) else { return }
    report("\(owner) has the route \(shape) already", in: file, at: declaration.name.position)
  }
}
