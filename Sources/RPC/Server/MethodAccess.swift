/// Who may call a method, besides services and operators: the mark `@access` of its schema.
package enum MethodAccess: Sendable {
  /// Whoever can call at all.
  case anyone
  /// Nobody else.
  case operators
  /// The user that the request names: ``CallContext/admits(owner:)``.
  case owner
  /// The user whose object it is, which the handler finds out: ``CallContext/authorize(owner:orThrow:)``.
  case object
}
