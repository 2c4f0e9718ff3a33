/// Who may call a method: the mark `@access`. A service itself, and an operator, may call every method.
package enum AccessRule: Hashable, Sendable {
  /// `@access(anyone)`: whoever can call at all.
  case anyone
  /// `@access(operator)`: nobody else.
  case operators
  /// `@access(owner: field)`: the user that the request names in the field of this number; when the field is absent,
  /// operators.
  case owner(field: Int)
  /// `@access(object)`: the user whose object it is, which the handler finds out.
  case object
}

extension MethodDescriptor {
  /// Who may call it, as it stands in the schema, such as `owner: userId`; `operator` where nothing is said.
  package func accessText(in schemas: SchemaSet) -> String {
    switch access {
    case .anyone: "anyone"
    case .owner(let field): "owner: \(schemas.messages[request].fields.first { $0.number == field }?.name ?? "")"
    case .object: "object"
    case .operators, nil: "operator"
    }
  }
}
