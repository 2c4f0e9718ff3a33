package import Wire

/// Who may have a call answered (OWASP API Security 2023, API1: broken object level authorization).
extension CallContext {
  /// Whether the caller is the user `owner`, or may do everything; refuses the call otherwise. Called by generated code.
  package func admits(owner: UUID?) -> Bool {
    guard let principal, !principal.isOperator else { return true }
    if let owner, principal.isUser(owner) { return true }
    let (whose, reason) = owner == nil ? ("everybody's", "OPERATORS_ONLY") : ("another user's", "NOT_YOURS")
    refuse(RPCError(.permissionDenied, "this is \(whose); you may have your own", reason: reason))
    return false
  }

  @usableFromInline var isUnauthorized: Bool { mustAuthorize }

  /// Whether the method is for the caller as far as that is known before the request is read; refuses the call otherwise.
  func admitsCaller(_ access: MethodAccess) -> Bool {
    guard let principal, !principal.isOperator else { return true }
    switch access {
    case .anyone, .owner: return true
    case .object:
      mustAuthorize = true
      return true
    case .operators:
      refuse(RPCError(.permissionDenied, "this is for operators", reason: "OPERATORS_ONLY"))
      return false
    }
  }

  /// Goes on when the object that the call is about is the caller's own, or the caller may do everything. The handler of a
  /// method marked `@access(object)` calls it before the object is changed or shown; without that its answer is not given.
  ///
  /// - Throws: `error`, which had better be what is thrown when there is no such object: nobody learns what others have.
  package func authorize(owner: UUID, orThrow error: @autoclosure () -> RPCError) throws(RPCError) {
    mustAuthorize = false
    guard let principal, !principal.isOperator, !principal.isUser(owner) else { return }
    throw error()
  }
}

/// A handler was about to show an object without having asked whose it is.
@usableFromInline
struct UnauthorizedAnswer: Error, CustomStringConvertible {
  @usableFromInline let description = "the handler did not authorize the caller; the answer is withheld"

  @usableFromInline
  init() {}
}
