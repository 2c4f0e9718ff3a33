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
        if !(200...299).contains(value) || value == 204 || value == 205 {
          report(
            "the status of a success with a body is 200 to 299 but not 204 or 205", in: file, at: argument.position)
        }
      case ("location", .text): location = checkPath(argument, variablesFrom: response, in: file)
      case (nil, .word("etag")): hasETag = true
      default:
        report(
          "behind the path, only status: 201, location: \"/…\" and etag may stand", in: file, at: argument.position)
      }
    }
    if let location, response.fields.contains(where: { location.variables.contains($0.name) && $0.cardinality != .one })
    {
      report("a field in the location must never be absent", in: file, at: mark.name.position)
    }
    if !method.hasBody { checkQuery(of: request, path: path, mark, in: file) }
    return HTTPBinding(method: method, path: path, status: status, location: location, hasETag: hasETag)
  }

  private mutating func checkVerb(_ argument: ArgumentSyntax, in file: Int) -> HTTPBinding.Method? {
    if case .word(let word) = argument.value, argument.label == nil, let method = HTTPBinding.Method(rawValue: word) {
      return method
    }
    let known = HTTPBinding.Method.allCases.map(\.rawValue)
    report("the method of HTTP is one of \(known.joined(separator: ", "))", in: file, at: argument.position)
    return nil
  }

  /// The template of a path whose variables are fields of a message that have one short value.
  private mutating func checkPath(
    _ argument: ArgumentSyntax, variablesFrom message: MessageDescriptor, in file: Int
  ) -> PathTemplate? {
    guard case .text(let text) = argument.value, let path = PathTemplate(text) else {
      report(
        "a path is written as \"/v1/orders/{id}\": letters, digits and -._~ between slashes, or one {field}", in: file,
        at: argument.position)
      return nil
    }
    var names: Set<String> = []
    for name in path.variables {
      if !names.insert(name).inserted {
        report("the path has {\(name)} twice", in: file, at: argument.position)
      }
      guard let field = message.field(named: name) else {
        let hint = suggestion(for: name, among: message.fields.map(\.name))
        report("\(message.name) has no field '\(name)'" + hint, in: file, at: argument.position)
        continue
      }
      if !field.isText {
        report("'\(name)' cannot stand in a path: it is no single short value", in: file, at: argument.position)
      }
    }
    return path
  }

  /// What comes from a query must be readable from a text.
  private mutating func checkQuery(of request: MessageDescriptor, path: PathTemplate, _ mark: MarkSyntax, in file: Int)
  {
    for field in request.fields where !path.variables.contains(field.name) && !field.isText {
      report(
        "'\(field.name)' of \(request.name) cannot come from a query: it is no single short value; use POST", in: file,
        at: mark.name.position)
    }
  }
}

extension FieldDescriptor {
  /// Whether the value can be written as a text in a path or a query.
  package var isText: Bool {
    switch type {
    case .message, .bytes: false
    default: cardinality != .list
    }
  }
}
