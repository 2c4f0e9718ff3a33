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
