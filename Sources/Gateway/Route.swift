package import Schema

/// A route of the API: which call a request becomes, and who answers it. A class, so that each request carries one word of
/// it through its calls.
package final class Route: Sendable {
  /// The HTTP method, the path, and what the response carries.
  package let binding: HTTPBinding
  /// The method that is called.
  package let method: MethodDescriptor
  /// Translates the messages of ``method``.
  package let translator: JSONTranslator
  /// The replicas that answer it; at least one.
  package let backends: [BackendServer]
  /// What became of its requests.
  let statistics: RouteStatistics

  /// What callers call the fields of the request, where that is not what the schema calls them.
  let names: FieldNames?

  /// A route to a method, by servers.
  init(
    binding: HTTPBinding, method: MethodDescriptor, translator: JSONTranslator, backends: [BackendServer],
    statistics: RouteStatistics
  ) {
    self.binding = binding
    self.method = method
    self.translator = translator
    self.backends = backends
    self.statistics = statistics
    names = FieldNames(binding, request: translator.schemas.messages[method.request])
  }

  /// The same route, by these servers too.
  func joined(by others: [BackendServer]) -> Route {
    Route(
      binding: binding, method: method, translator: translator, backends: backends + others, statistics: statistics)
  }

  /// Whether nobody but `backend` can serve it just now.
  func needs(_ backend: BackendServer) -> Bool {
    backends.contains { $0 === backend } && !backends.contains { $0 !== backend && $0.unreadyReason == nil }
  }

  /// Whether a repeat of a call under the same idempotency key has the effect of one call.
  var takesIdempotencyKey: Bool { method.takesIdempotencyKey(by: binding.method) }
}
