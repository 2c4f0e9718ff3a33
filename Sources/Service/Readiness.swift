/// Whether something that a process needs is there.
package struct Readiness: Sendable, Equatable {
  /// Its name, such as `postgres`.
  package let name: String
  /// Why it is not there, in a sentence for operators; nil when it is.
  package let problem: String?
  /// Whether the process cannot do its work without it; otherwise it does less, or later.
  package let isRequired: Bool

  /// The readiness of `name`.
  package init(_ name: String, problem: String?, isRequired: Bool = true) {
    self.name = name
    self.problem = problem
    self.isRequired = isRequired
  }
}

extension [Readiness] {
  /// Whether everything is there that cannot be done without.
  package var isReady: Bool { allSatisfy { $0.problem == nil || !$0.isRequired } }

  /// Whether something is missing that can be done without.
  package var isDegraded: Bool { contains { $0.problem != nil && !$0.isRequired } }

  /// Each dependency as a figure.
  package var metrics: [Metric] {
    [
      Metric("ready", .gauge, "1 when everything is there that cannot be done without.", isReady ? 1 : 0),
      Metric(
        "dependency_up", .gauge, "1 for each dependency that is there.",
        values: map { (["dependency": $0.name, "required": "\($0.isRequired)"], $0.problem == nil ? 1 : 0) }),
    ]
  }
}
