extension Checker {
  /// The route of a mark such as `@http(POST, "/v1/orders", status: 201, location: "/v1/orders/{id}", etag)`.
  mutating func checkRoute(
    _ mark: MarkSyntax, request: MessageDescriptor, response: MessageDescriptor, in file: Int
  ) -> HTTPBinding? {
    guard mark.arguments.count >= 2, let method = checkVerb(mark.arguments[0], in: file),
      let path = checkPath(mark.arguments[1], variablesFrom: request, in: file)
    else {
      if mark.arguments.count < 2 {
        report("write the route as @http(GET, \"/v1/orders/{id}\")", in: file, at: mark.name.position)
      }
      return nil
    }
    var (status, location, hasETag) = (200, PathTemplate?.none, false)
    for argument in mark.arguments.dropFirst(2) {
      switch (argument.label, argument.value) {
      case ("status", .integer(let value)):
        status = Int(value)
        if let problem = RouteRules.problem(ofStatus: value) { report(problem, in: file, at: argument.position) }
      case ("location", .text): location = checkPath(argument, variablesFrom: response, in: file)
      case (nil, .word("etag")): hasETag = true
      default:
        report(
          "behind the path, only status: 201, location: \"/…\" and etag may stand", in: file, at: argument.position)
      }
    }
    let binding = HTTPBinding(method: method, path: path, status: status, location: location, hasETag: hasETag)
    let problems =
      [location.flatMap { RouteRules.problem(ofLocation: $0, of: response) }].compactMap { $0 }
      + RouteRules.problems(ofQuery: binding, request: request)
    for problem in problems { report(problem, in: file, at: mark.name.position) }
    return binding
  }

  private mutating func checkVerb(_ argument: ArgumentSyntax, in file: Int) -> HTTPBinding.Method? {
    if case .word(let word) = argument.value, argument.label == nil, let method = HTTPBinding.Method(rawValue: word) {
      return method
    }
    let known = HTTPBinding.Method.allCases.map(\.rawValue)
    report("the method of HTTP is one of \(known.joined(separator: ", "))", in: file, at: argument.position)
    return nil
  }

  /// The template of a path whose variables are fields of a message.
  private mutating func checkPath(
    _ argument: ArgumentSyntax, variablesFrom message: MessageDescriptor, in file: Int
  ) -> PathTemplate? {
    guard case .text(let text) = argument.value, let path = PathTemplate(text) else {
      report(
        "a path is written as \"/v1/orders/{id}\": letters, digits and -._~ between slashes, or one {field}", in: file,
        at: argument.position)
      return nil
    }
    for problem in RouteRules.problems(of: path, variablesFrom: message) {
      report(problem, in: file, at: argument.position)
    }
    return path
  }
}

extension FieldDescriptor {
  /// Whether the value can be written as one text, as a segment of a path is.
  package var fitsPath: Bool { fitsQuery && cardinality != .list }

  /// Whether the value can be written as a text, or as one for each element, as the items of a query are.
  package var fitsQuery: Bool { if case .message = type { false } else { true } }
}
