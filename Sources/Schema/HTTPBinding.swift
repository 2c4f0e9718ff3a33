/// A route by which HTTP reaches a method: the mark `@http`.
///
/// What the path does not bind comes from the query for GET and DELETE, and from the JSON body otherwise.
package struct HTTPBinding: Sendable {
  /// The methods of HTTP that a route may have.
  package enum Method: String, CaseIterable, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"

    /// Whether a request carries its fields in a JSON body.
    package var hasBody: Bool { self != .get && self != .delete }
  }

  /// The HTTP method.
  package let method: Method
  /// The path, its variables being fields of the request.
  package let path: PathTemplate
  /// The status of a success; 200 unless said otherwise.
  package let status: Int
  /// What goes into the `Location` header, its variables being fields of the response.
  package let location: PathTemplate?
  /// Whether the response carries an `ETag`.
  package let hasETag: Bool
  /// The fields that come from elsewhere, or under another name, than a field usually does; none in a schema.
  package let sources: [FieldSource]

  /// A route of these parts, which must fit its method.
  package init(
    method: Method, path: PathTemplate, status: Int = 200, location: PathTemplate? = nil, hasETag: Bool = false,
    sources: [FieldSource] = []
  ) {
    self.method = method
    self.path = path
    self.status = status
    self.location = location
    self.hasETag = hasETag
    self.sources = sources
  }

  /// Whether a request may have a query.
  package var takesQuery: Bool {
    !method.hasBody || sources.contains { if case .query = $0.place { true } else { false } }
  }

  /// Where the value of a field of the request comes from.
  package func place(of field: FieldDescriptor) -> FieldSource.Place {
    if let source = sources.first(where: { $0.field == field.name }) { return source.place }
    if path.variables.contains(field.name) { return .path }
    return method.hasBody ? .body(field.name) : .query(field.name)
  }
}

/// Where a route takes one field of its request from.
package struct FieldSource: Hashable, Sendable {
  /// A part of a request that holds a value.
  package enum Place: Hashable, Sendable {
    /// The variable of the path that is called as the field.
    case path
    /// The item of the query of this name, as often as it is there.
    case query(String)
    /// The member of the JSON body of this name.
    case body(String)
    /// None: it is always this text.
    case constant(String)
  }

  /// The field's name.
  package let field: String
  /// Where its value is.
  package let place: Place

  /// A field that comes from this place.
  package init(field: String, place: Place) {
    self.field = field
    self.place = place
  }
}

/// A path such as `/v1/orders/{id}`.
package struct PathTemplate: Hashable, Sendable, CustomStringConvertible {
  /// What lies between two slashes.
  package enum Segment: Hashable, Sendable {
    /// Text as it is.
    case literal(String)
    /// The value of a field.
    case variable(String)
  }

  /// The segments behind each slash; at least one.
  package let segments: [Segment]

  /// The most segments of a path.
  package static let countMax = 16

  /// Reads a template; nil unless each segment is made of letters, digits and `-._~`, or is a `{name}`.
  package init?(_ text: String) {
    guard text.hasPrefix("/"), text.utf8.count <= 256 else { return nil }
    var segments: [Segment] = []
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      let isVariable = part.hasPrefix("{") && part.hasSuffix("}") && part.count > 2
      let name = isVariable ? part.dropFirst().dropLast() : part
      guard !name.isEmpty, name.utf8.allSatisfy(isVariable ? isNameCharacter : isPathCharacter) else { return nil }
      segments.append(isVariable ? .variable(String(name)) : .literal(String(name)))
    }
    guard segments.count <= PathTemplate.countMax else { return nil }
    self.segments = segments
  }

  /// The names of the variables, in order.
  package var variables: [String] {
    segments.compactMap { if case .variable(let name) = $0 { name } else { nil } }
  }

  /// The template as it is written.
  package var description: String {
    segments.map {
      switch $0 {
      case .literal(let text): "/\(text)"
      case .variable(let name): "/{\(name)}"
      }
    }.joined()
  }

  /// The template with the variables' names left out: equal for two paths that match the same requests.
  var shape: String {
    segments.map { if case .literal(let text) = $0 { "/\(text)" } else { "/{}" } }.joined()
  }
}

private func isNameCharacter(_ character: UInt8) -> Bool {
  switch character {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"):
    true
  default: false
  }
}

/// The characters that RFC 3986 section 2.3 calls unreserved: they need no escapes in a path.
private func isPathCharacter(_ character: UInt8) -> Bool {
  isNameCharacter(character) || character == UInt8(ascii: "-") || character == UInt8(ascii: ".")
    || character == UInt8(ascii: "_") || character == UInt8(ascii: "~")
}
