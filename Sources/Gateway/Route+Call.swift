internal import HTTP
internal import RPC
internal import Schema
internal import Wire

extension Route {
  /// The encoded request message of a call: from the path's variables, and from the query or the body.
  ///
  /// - Parameter cursor: from where a stream goes on, in the place of what the query says; nil for what that says.
  func payload(
    _ variables: [ArraySlice<UInt8>], _ request: HTTPRequest, cursor: String? = nil
  ) throws(Problem) -> [UInt8] {
    var builder = translator.builder(of: method.request, names: names)
    var violations: [Violation] = []
    for source in binding.sources {
      if case .constant(let text) = source.place { builder.set(source.field, fromText: text) }
    }
    for (name, value) in zip(binding.path.variables, variables) {
      if let text = PercentEncoding.decode(value) {
        builder.set(name, fromText: text)
      } else {
        violations.append(Violation(pointer: "/\(name)", detail: "is no UTF-8 text"))
      }
    }
    var queryName: String?
    if let cursor, let field = translator.schemas.messages[method.request].cursor {
      if case .query(let name) = binding.place(of: field) { queryName = name }
      builder.set(field.name, fromText: cursor)
    }
    try takeQuery(request, except: queryName, &builder, &violations)
    try takeBody(request, &builder)
    do throws(RequestErrors) {
      let payload = try builder.encode()
      if violations.isEmpty { return payload }
    } catch {
      violations += error.violations.map { Violation(pointer: $0.pointer, detail: $0.detail) }
    }
    throw .invalid(violations)
  }

  private func takeQuery(
    _ request: HTTPRequest, except cursorName: String?, _ builder: inout MessageBuilder,
    _ violations: inout [Violation]
  ) throws(Problem) {
    guard request.query != nil else { return }
    let items: [(name: String, value: String)]
    do throws(HTTPRefusal) { items = try request.queryItems() } catch { throw Problem(error) }
    guard binding.takesQuery else {
      if let first = items.first {
        violations.append(Violation(pointer: "/\(first.name)", detail: "this route takes nothing from the query"))
      }
      return
    }
    for (name, value) in items where name != cursorName { builder.set(name, fromQuery: value) }
  }

  private func takeBody(_ request: HTTPRequest, _ builder: inout MessageBuilder) throws(Problem) {
    if request.body.isEmpty { return }
    guard binding.method.hasBody else { throw .invalid("\(binding.method.rawValue) takes no body here.") }
    guard let type = request.fields["content-type"], ContentNegotiation.isJSON(type) else {
      throw Problem(
        status: .unsupportedMediaType, code: "INVALID_ARGUMENT", detail: "Send the body as application/json.",
        fields: [("Accept", ContentNegotiation.json)])
    }
    builder.merge(json: request.body)
  }

  /// The response to `request` that the result of its call is.
  ///
  /// - Throws: ``RPCError`` INTERNAL when the result cannot be translated.
  func response(to request: HTTPRequest, from result: CallResult, requestID: String) throws(RPCError) -> HTTPResponse {
    do throws(DecodingError) {
      var body: [UInt8] = []
      body.reserveCapacity(result.payload.count * 2)
      try translator.append(result.payload.span.bytes, of: method.response, to: &body)
      var fields = HTTPFields()
      fields.append("Content-Type", ContentNegotiation.json)
      fields.append("X-Request-Id", requestID)
      if let location = binding.location {
        fields.append("Location", try location.filled(from: result.payload, of: method.response, translator.schemas))
      }
      if result.metadata["idempotency-replayed"] == "true" { fields.append("Idempotent-Replayed", "true") }
      let tag = binding.hasETag ? EntityTag.of(body) : nil
      if let tag { fields.append("ETag", tag) }
      switch Preconditions(request.fields).outcome(of: request.method, tag: tag) {
      case .response: return HTTPResponse(HTTPStatus(binding.status), fields: fields, body: body)
      case .notModified: return HTTPResponse(.notModified, fields: fields)
      case .failed:
        var problem = Problem.preconditionFailed("This is not what If-Match names.")
        if let tag { problem.fields.append(("ETag", tag)) }
        return problem.response(requestID: requestID)
      }
    } catch {
      throw RPCError(.internal, "the response of \(method.fullName) cannot be translated: \(error)")
    }
  }
}
