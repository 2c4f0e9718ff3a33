/// Whether something that a process needs is there.
package struct Readiness: Sendable, Equatable {
  /// Its name, such as `postgres`.
  package let name: String
  /// Why it is not there, in a sentence for operators; nil when it is.
  package let problem: String?

  /// The readiness of `name`.
  package init(_ name: String, problem: String?) {
    self.name = name
    self.problem = problem
  }
}
