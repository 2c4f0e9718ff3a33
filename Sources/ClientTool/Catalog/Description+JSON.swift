internal import JetStream
internal import JSON
internal import Schema

extension Description {
  /// Everything about what a name means, for machines.
  func json(of entry: Catalog.Entry) -> JSONValue {
    switch entry.kind {
    case .service(let service):
      [
        "kind": "service", "name": .string(service.fullName), "number": .integer(Int64(service.number)),
        "docs": .string(service.docs), "methods": .array(service.methods.map { json(of: $0, in: service) }),
      ]
    case .method(let service, let method): json(of: method, in: service)
    case .message(let message): json(of: message)
    case .enumeration(let type):
      [
        "kind": "enum", "name": .string(type.fullName), "docs": .string(type.docs),
        "cases": .array(
          type.cases.map {
            ["name": .string($0.name), "number": .integer(Int64($0.number)), "docs": .string($0.docs)]
          }),
      ]
    }
  }

  private func json(of method: MethodDescriptor, in service: ServiceDescriptor) -> JSONValue {
    let (request, response) = (schemas.messages[method.request], schemas.messages[method.response])
    return [
      "kind": "method", "name": .string("\(service.fullName).\(method.name)"),
      "number": .integer(Int64(method.number)), "id": .integer(Int64(method.id)), "docs": .string(method.docs),
      "shape": .string(method.shape), "requestIsStream": .bool(method.requestIsStream),
      "responseIsStream": .bool(method.responseIsStream),
      "http": .array(method.routes.map { .string($0.summary) }), "idempotent": .bool(method.isIdempotent),
      "idempotencyKey": .bool(method.takesIdempotencyKey), "request": json(of: request), "response": json(of: response),
      "access": .string(method.accessText(in: schemas)),
      "example": (try? JSONValue(parsing: example(of: request).span)) ?? .null,
    ]
  }

  private func json(of message: MessageDescriptor) -> JSONValue {
    [
      "kind": "message", "name": .string(message.fullName), "docs": .string(message.docs),
      "fields": .array(
        message.fields.map { field in
          [
            "name": .string(field.name), "number": .integer(Int64(field.number)),
            "type": .string(schemas.spelling(of: field)), "bounds": .string(field.marksText),
            "docs": .string(field.docs),
          ]
        }),
    ]
  }
}
