extension StatusCode {
  /// The names of the codes that errors have.
  package static let errorNames = allCases.filter { $0 != .ok }.map(\.name)
}
