extension Linter {
  mutating func checkServices() {
    var methodsByRequest: [Int: String] = [:]
    for service in schemas.services {
      checkDocs(service.docs, of: service.name, in: service.file, at: service.position)
      checkAcronyms(service.name, in: service.file, at: service.position)
      for method in service.methods {
        checkDocs(method.docs, of: method.name, in: service.file, at: method.position, within: service.position)
        checkAcronyms(method.name, in: service.file, at: method.position, within: service.position)
        if let first = methodsByRequest.updateValue(method.name, forKey: method.request) {
          let name = schemas.messages[method.request].name
          report(
            .requestShared,
            "\(name) is the request of \(first) too, so neither can get a field of its own; give the method its"
              + " \(method.name)Request", in: service.file, at: method.position, service.position)
        }
        checkRepetition(of: method, service)
        checkAccess(to: method, service)
        checkPaging(of: method, service)
        for route in method.routes { check(route, of: method, service) }
      }
    }
  }

  /// A caller who lost the answer must know whether to ask again.
  private mutating func checkRepetition(of method: MethodDescriptor, _ service: ServiceDescriptor) {
    guard !method.requestIsStream, !method.isIdempotent, !method.takesIdempotencyKey else { return }
    report(
      .repeatUnsaid,
      "a client that loses the answer cannot tell whether it may call again; mark the method @idempotent, or"
        + " @idempotencyKey if a key is to make it so", in: service.file, at: method.position, service.position)
  }

  /// What users can reach says who of them may.
  private mutating func checkAccess(to method: MethodDescriptor, _ service: ServiceDescriptor) {
    guard method.access == nil, !method.routes.isEmpty else { return }
    report(
      .accessUnsaid,
      "it has a route, and nothing says who may take it, so only operators may; mark the method @access(owner: …),"
        + " @access(object), @access(operator) or @access(anyone)", in: service.file, at: method.position,
      service.position)
  }

  /// A list that grows needs pages from the beginning: putting them in later changes what callers get.
  private mutating func checkPaging(of method: MethodDescriptor, _ service: ServiceDescriptor) {
    guard method.name.hasPrefix("List"), method.isUnary else { return }
    let (request, response) = (schemas.messages[method.request], schemas.messages[method.response])
    let missing =
      ["pageSize", "pageToken"].filter { request.field(named: $0) == nil }.map { "\(request.name).\($0)" }
      + ["nextPageToken"].filter { response.field(named: $0) == nil }.map { "\(response.name).\($0)" }
    guard !missing.isEmpty else { return }
    report(
      .pageMissing,
      "a list grows until it does not fit into one answer; it needs \(missing.joined(separator: ", "))",
      in: service.file, at: method.position, service.position)
  }

  private mutating func check(_ route: HTTPBinding, of method: MethodDescriptor, _ service: ServiceDescriptor) {
    let name = "\(route.method.rawValue) \(route.path)"
    let isVersioned =
      if case .literal(let text)? = route.path.segments.first {
        text.first == "v" && text.count > 1 && text.dropFirst().allSatisfy(\.isNumber)
      } else { false }
    if !isVersioned {
      report(
        .routeUnversioned, "\(name) has no version, so it can never change; begin the path with '/v1'",
        in: service.file,
        at: method.position, service.position)
    }
    if route.location != nil, route.status != 201 {
      report(
        .locationStatus, "\(name) tells where something was created, which is status 201 (RFC 9110 section 10.2.2)",
        in: service.file, at: method.position, service.position)
    }
  }
}
