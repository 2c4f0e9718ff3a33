internal import JSON

/// One operation of an OpenAPI document.
struct OpenAPIOperation {
  let operation: APIOperation
  /// What the path's variables are called in the document, in the order of the path.
  let variables: [String]
  /// The service's name in the document.
  let tag: String
  /// Which of the method's routes it is, from 1.
  let number: Int
  let types: OpenAPITypes
  let asksForTokens: Bool

  private var method: MethodDescriptor { operation.method }
  private var binding: HTTPBinding { operation.binding }
  private var takesIdempotencyKey: Bool { method.takesIdempotencyKey(by: binding.method) }

  var json: JSONValue {
    let id = "\(tag).\(method.name)" + (number == 1 ? "" : ".\(number)")
    var members: [JSONValue.Member] = [
      .init("operationId", .string(id)), .init("tags", [.string(tag)]), .init("summary", .string(summary)),
      .init("description", .string(description)),
    ]
    let parameters = pathParameters + queryParameters + headerParameters
    if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
    if binding.method.hasBody, let body = requestBody { members.append(.init("requestBody", body)) }
    members.append(.init("responses", .object(successes + failures)))
    if asksForTokens, method.access != .anyone { members.append(.init("security", [["bearer": []]])) }
    members.append(.init("x-rpc-method", .string(method.fullName)))
    return .object(members)
  }

  // MARK: Words

  /// The first sentence of the docs.
  private var summary: String {
    let text = method.docs.split(separator: "\n").joined(separator: " ")
    var index = text.startIndex
    while let end = text[index...].firstIndex(where: { ".:;".contains($0) }) {
      index = text.index(after: end)
      if index == text.endIndex || text[index] == " " { return String(text[..<end]) }
    }
    return text
  }

  private var description: String {
    var paragraphs = [method.docs, "Access: \(access)."]
    if method.isIdempotent {
      paragraphs.append("A repeat does no harm.")
    } else if method.takesIdempotencyKey {
      paragraphs.append("A repeat under the same `Idempotency-Key` has the effect and the answer of one request.")
    }
    if method.responseIsStream {
      paragraphs.append(
        "The answer goes on as long as there is something to tell: as server-sent events, as lines of JSON, or, when the"
          + " request asks for that with `Upgrade`, as messages of a WebSocket.")
    }
    return paragraphs.joined(separator: "\n\n")
  }

  private var access: String {
    switch method.access {
    case .anyone: "anyone"
    case .owner(let number):
      "the user whom `\(operation.request.fields.first { $0.number == number }?.name ?? "")` names, and operators"
    case .object: "the user whose object it is, and operators"
    case .operators, nil: "operators only"
    }
  }

  // MARK: Parameters

  private var pathParameters: [JSONValue] {
    zip(binding.path.variables, variables).compactMap { name, shown in
      guard let field = operation.request.field(named: name) else { return nil }
      var schema = types.schema(of: field, in: operation.schemas, isText: true)
      // A segment of a path is never empty.
      if field.type == .string || field.type == .bytes, schema["minLength"] == nil {
        schema = schema.merging([.init("minLength", 1)])
      }
      return parameter(shown, in: "path", isRequired: true, field.docs, schema)
    }
  }

  private var queryParameters: [JSONValue] {
    operation.request.fields.compactMap { field in
      guard case .query(let name) = binding.place(of: field) else { return nil }
      let schema = types.schema(of: field, in: operation.schemas, isText: true)
      return parameter(name, in: "query", isRequired: field.cardinality == .one, field.docs, schema)
    }
  }

  private var headerParameters: [JSONValue] {
    var parameters: [JSONValue] = []
    if takesIdempotencyKey {
      parameters.append(
        parameter(
          "Idempotency-Key", in: "header", isRequired: false, "The caller's own name of this request, new for each.",
          ["type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"]))
    }
    if binding.hasETag {
      // Whatever they are, they name this state or another one.
      let tags: JSONValue = ["type": "string"]
      parameters.append(
        parameter(
          "If-None-Match", in: "header", isRequired: false,
          "An `ETag` that the caller has: 304 when it is the present one.",
          tags))
      parameters.append(
        parameter(
          "If-Match", in: "header", isRequired: false,
          "An `ETag` that the caller wants: 412 when it is not the present one.",
          tags))
    }
    return parameters
  }

  private func parameter(
    _ name: String, in place: String, isRequired: Bool, _ docs: String, _ schema: JSONValue
  ) -> JSONValue {
    [
      "name": .string(name), "in": .string(place), "required": .bool(isRequired), "description": .string(docs),
      "schema": schema,
    ]
  }

  // MARK: Bodies

  /// The JSON body; nil when there is nothing left to say in one.
  private var requestBody: JSONValue? {
    let fields = operation.bodyFields
    guard !fields.isEmpty else { return nil }
    let isRequired = fields.contains { $0.field.cardinality == .one }
    return ["required": .bool(isRequired), "content": ["application/json": ["schema": bodySchema(fields)]]]
  }

  private func bodySchema(_ fields: [(name: String, field: FieldDescriptor)]) -> JSONValue {
    if operation.hasWholeBody { return reference(method.request) }
    let example = OpenAPITypes.example(of: method.request, in: operation.schemas)
    let members = fields.compactMap { name, field in example?[field.name].map { JSONValue.Member(name, $0) } }
    return types.object(
      fields, docs: operation.request.docs, example: .object(members), in: operation.schemas, isOfRequests: true)
  }

  private func reference(_ message: Int) -> JSONValue { types.reference(to: .message(message), in: operation.schemas) }

  // MARK: Responses

  private var successes: [JSONValue.Member] {
    if method.responseIsStream { return streams }
    let success: JSONValue = [
      "description": .string(operation.schemas.messages[method.response].docs), "headers": .object(successHeaders),
      "content": ["application/json": ["schema": reference(method.response)]],
    ]
    guard binding.hasETag else { return [.init("\(binding.status)", success)] }
    let unchanged: JSONValue = [
      "description": "`If-None-Match` names the present state.",
      "headers": .object([OpenAPIResponses.requestID, Self.entityTag]),
    ]
    return [.init("\(binding.status)", success), .init("304", unchanged)]
  }

  private static let entityTag = JSONValue.Member(
    "ETag", ["description": "Names this state.", "required": true, "schema": ["type": "string"]])

  private var successHeaders: [JSONValue.Member] {
    var headers = [OpenAPIResponses.requestID]
    if let location = binding.location {
      headers.append(
        .init(
          "Location",
          [
            "description": .string("Where it is: `\(location)`."), "required": true,
            "schema": ["type": "string", "format": "uri-reference"],
          ]))
    }
    if binding.hasETag { headers.append(Self.entityTag) }
    if takesIdempotencyKey {
      headers.append(
        .init(
          "Idempotent-Replayed",
          [
            "description": "`true` when this is the answer of an earlier request under the same `Idempotency-Key`.",
            "schema": ["type": "string", "enum": ["true"]],
          ]))
    }
    return headers
  }

  private var streams: [JSONValue.Member] {
    let name = operation.schemas.messages[method.response].name
    return [
      .init("101", ["description": .string("A WebSocket, whose messages are each a \(name) as JSON.")]),
      .init(
        "200",
        [
          "description": .string("Each event, or each line, is a \(name) as JSON."),
          "headers": .object([OpenAPIResponses.requestID]),
          "content": [
            "text/event-stream": ["schema": ["type": "string"]],
            "application/x-ndjson": ["schema": reference(method.response)],
          ],
        ]),
    ]
  }

  private var failures: [JSONValue.Member] {
    OpenAPIResponses.failures(of: operation, asksForTokens: asksForTokens).map { failure in
      .init("\(failure.status)", ["$ref": .string("#/components/responses/\(failure.name)")])
    }
  }
}
