/// What a schema is checked for beyond the rules of the language. The names are stable: scripts and `// allow` comments use
/// them.
package enum LintRule: String, CaseIterable, Sendable {
  /// An allowance that names no rule, gives no reason, or allows nothing.
  case allowance
  case fileName = "file-name"
  case unusedImport = "unused-import"
  case unusedType = "unused-type"
  case docsSentence = "docs-sentence"
  case docsRepeatName = "docs-repeat-name"
  case acronym
  case caseRepeatsEnum = "case-repeats-enum"
  case enumFirstCase = "enum-first-case"
  case messageNearlyFull = "message-nearly-full"
  case moneyAsFloat = "money-as-float"
  case unboundedText = "unbounded-text"
  case unboundedList = "unbounded-list"
  case requestShared = "request-shared"
  case repeatUnsaid = "repeat-unsaid"
  case accessUnsaid = "access-unsaid"
  case pageMissing = "page-missing"
  case routeUnversioned = "route-unversioned"
  case locationStatus = "location-status"

  /// Errors are what cannot be mended once it is released, or hurts whoever runs it; the rest is a warning.
  package var level: LintLevel {
    switch self {
    case .allowance, .enumFirstCase, .moneyAsFloat, .unboundedText, .unboundedList, .repeatUnsaid, .accessUnsaid: .error
    default: .warning
    }
  }
}

/// How much a finding matters.
package enum LintLevel: String, Sendable {
  /// The schema must not be released like this.
  case error
  /// It had better be otherwise.
  case warning
}

/// Something in a schema that a rule finds fault with.
package struct LintFinding: Hashable, Sendable, CustomStringConvertible {
  /// The rule.
  package let rule: LintRule
  /// Where.
  package let place: SourcePlace
  /// What is wrong, why that matters, and what would be right.
  package let message: String

  /// The form that editors and compilers share, the rule behind.
  package var description: String { "\(place): \(rule.level.rawValue): \(message) [\(rule.rawValue)]" }
}
