/// How a server is: what it depends on, and whether it serves nevertheless.
package struct ServerHealth: Sendable, Equatable {
  /// Whether calls are worth while; a dependency that is missing need not prevent that.
  package var isServing: Bool
  /// Each dependency.
  package var dependencies: [DependencyHealth]

  /// A server that serves when each of `dependencies` does, unless `isServing` says otherwise.
  package init(_ dependencies: [DependencyHealth], isServing: Bool? = nil) {
    self.dependencies = dependencies
    self.isServing = isServing ?? dependencies.allSatisfy { $0.status == .serving }
  }
}
