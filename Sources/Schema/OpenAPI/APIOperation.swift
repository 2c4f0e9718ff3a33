/// One route of an API: what OpenAPI calls an operation.
package struct APIOperation: Sendable {
  /// The schemas that the method is part of.
  package let schemas: SchemaSet
  /// The method that is called.
  package let method: MethodDescriptor
  /// How HTTP reaches it.
  package let binding: HTTPBinding

  /// A route to a method of these schemas.
  package init(_ method: MethodDescriptor, by binding: HTTPBinding, in schemas: SchemaSet) {
    self.schemas = schemas
    self.method = method
    self.binding = binding
  }

  /// Every route of every service, in the order of the schemas.
  package static func all(in schemas: SchemaSet) -> [APIOperation] {
    schemas.services.flatMap(\.methods).flatMap { method in
      method.routes.map { APIOperation(method, by: $0, in: schemas) }
    }
  }

  /// The service that the method belongs to.
  package var service: ServiceDescriptor {
    let name = method.fullName.prefix { $0 != "/" }
    return schemas.services.first { $0.fullName == name }!
  }

  var request: MessageDescriptor { schemas.messages[method.request] }

  /// The fields that the JSON body has, each under the name that it has there.
  var bodyFields: [(name: String, field: FieldDescriptor)] {
    request.fields.compactMap { field in
      if case .body(let name) = binding.place(of: field) { (name, field) } else { nil }
    }
  }

  /// Whether the JSON body is the request message as it is, so that it needs no description of its own.
  var hasWholeBody: Bool {
    let fields = bodyFields
    return fields.count == request.fields.count && fields.allSatisfy { $0.name == $0.field.name }
  }
}

extension MethodDescriptor {
  /// Whether a call by a route of this method of HTTP takes the caller's `Idempotency-Key`.
  package func takesIdempotencyKey(by method: HTTPBinding.Method) -> Bool {
    takesIdempotencyKey || method == .post
  }
}
