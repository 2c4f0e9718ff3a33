package import JSON

/// The description of an API by OpenAPI 3.1, made from the schemas alone.
///
/// Source of the form: the OpenAPI Specification, version 3.1.1.
package struct OpenAPIDocument {
  /// What the schemas do not know.
  package struct Options: Sendable {
    /// The name of the API.
    package var title = "Gozon"
    /// The version of the API.
    package var version = "1"
    /// The names of the statuses that an error may have.
    package var codes: [String]
    /// Whether callers have to show tokens.
    package var asksForTokens = false

    /// Options of an API whose errors have these codes.
    package init(codes: [String]) { self.codes = codes }
  }

  private let operations: [APIOperation]
  private let options: Options
  private let types: OpenAPITypes

  /// A description of operations. No two may have the same method and the same shape of a path.
  package init(_ operations: [APIOperation], _ options: Options) {
    self.operations = operations
    self.options = options
    types = OpenAPITypes(operations)
  }

  /// The document.
  package var json: JSONValue {
    var components: [JSONValue.Member] = [
      .init(
        "schemas",
        .object(types.components + [.init(OpenAPITypes.problem, OpenAPIResponses.problem(codes: options.codes))])),
      .init("responses", OpenAPIResponses.components(asksForTokens: options.asksForTokens)),
      .init("headers", OpenAPIResponses.headers),
    ]
    if options.asksForTokens {
      components.append(
        .init("securitySchemes", ["bearer": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT"]]))
    }
    return [
      "openapi": "3.1.1",
      "info": [
        "title": .string(options.title), "version": .string(options.version), "description": .string(Self.introduction),
      ],
      "servers": [["url": "/"]],
      "tags": .array(tags),
      "paths": .object(paths),
      "components": .object(components),
    ]
  }

  private static let introduction = """
    Numbers of all widths are JSON numbers, times are RFC 3339 in UTC, bytes are base64. A field or a parameter that is not \
    known is refused.

    An error is `application/problem+json` and names everything that is wrong at once. `X-Request-Id` names a request in the \
    logs. A request has 10 seconds; `Request-Timeout: 0.5` gives it another time, 60 seconds at most. What takes an \
    `Idempotency-Key` may be repeated under the same key: it has one effect and one answer.
    """

  private var services: [ServiceDescriptor] {
    var seen: Set<String> = []
    return operations.map(\.service).filter { seen.insert($0.fullName).inserted }
  }

  /// What a service is called here: by its name alone where that is clear.
  private func name(of service: ServiceDescriptor) -> String {
    services.count { $0.name == service.name } == 1 ? service.name : service.fullName
  }

  private var tags: [JSONValue] {
    services.map { ["name": .string(name(of: $0)), "description": .string($0.docs)] }
  }

  // MARK: Paths

  /// The operations by their paths. Two paths of one shape are one, whatever their variables are called.
  private var paths: [JSONValue.Member] {
    var paths: [(path: PathTemplate, operations: [JSONValue.Member])] = []
    var routes: [String: Int] = [:]
    for operation in operations {
      let path = operation.binding.path
      let place = paths.firstIndex { $0.path.shape == path.shape } ?? paths.count
      if place == paths.count { paths.append((path, [])) }
      routes[operation.method.fullName, default: 0] += 1
      let number = routes[operation.method.fullName] ?? 1
      paths[place].operations.append(
        .init(
          operation.binding.method.rawValue.lowercased(),
          OpenAPIOperation(
            operation: operation, variables: paths[place].path.variables, tag: name(of: operation.service),
            number: number, types: types, asksForTokens: options.asksForTokens
          ).json))
    }
    return paths.map { .init($0.path.description, .object($0.operations)) }
  }
}
