internal import HTTP
internal import Schema

/// Decides which requests become calls: those of callers who are known, where that is asked for.
// Confined to its gateway's event loop.
package final class Gatekeeper: @unchecked Sendable {
  private let authenticator: Authenticator?

  /// A gatekeeper that lets everybody do everything who need not bear a token.
  package init(authenticator: Authenticator? = nil) {
    self.authenticator = authenticator
  }

  /// Lets a request in; nothing has been done for it yet.
  func admit(_ request: HTTPRequest) throws(Problem) -> Admission {
    var admission = Admission()
    admission.caller = try authenticator?.caller(of: request.fields)
    return admission
  }
}

/// What is known of a request that was let in.
struct Admission {
  /// Who sends it; nil when nobody is asked, and everybody may do everything.
  var caller: Caller?

  /// Refuses a stranger what is not for everybody. What a known caller may do is for the services to say.
  func requireCaller(for route: Route) throws(Problem) {
    guard let caller, !caller.isKnown, route.method.access != .anyone else { return }
    throw .tokenMissing
  }
}
