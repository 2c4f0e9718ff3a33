/// What a change of a schema breaks.
package enum CompatibilityLevel: String, CaseIterable, Sendable, Comparable {
  /// Programs of two releases refuse or misread each other's messages, or a call has another effect.
  case wire
  /// Callers that name things stop working: HTTP clients, NDJSON, `gozon call`.
  case json
  /// Code has to be changed when it is next built with the schema; nothing that runs breaks.
  case source

  /// Whether a release must not have the change.
  package var isBreach: Bool { self != .source }

  /// Orders from the worst.
  package static func < (left: CompatibilityLevel, right: CompatibilityLevel) -> Bool {
    allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
  }
}
