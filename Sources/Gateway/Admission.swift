internal import Schema

/// What is known of a request that was let in.
struct Admission {
  /// Who sends it; nil when nobody is asked, and everybody may do everything.
  var caller: Caller?
  /// What its response says besides.
  var fields: [(String, String)] = []

  /// Refuses a stranger what is not for everybody. What a known caller may do is for the services to say.
  func requireCaller(for route: Route) throws(Problem) {
    guard let caller, !caller.isKnown, route.method.access != .anyone else { return }
    throw .tokenMissing
  }
}
