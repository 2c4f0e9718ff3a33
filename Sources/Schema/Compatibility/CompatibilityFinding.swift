/// One change between two versions of the schemas that breaks something.
package struct CompatibilityFinding: Hashable, Sendable {
  /// The rule that it breaks.
  package let rule: CompatibilityRule
  /// What breaks, the worst first; at least one.
  package let levels: [CompatibilityLevel]
  /// What was changed, by its name in the older version, such as `gozon.orders.Order.amount`.
  package let subject: String
  /// Where that is in the older version.
  package let old: SourcePlace
  /// Where it is now, or where it is missing; nil when the file has gone too.
  package let new: SourcePlace?
  /// What changed, what breaks by it, and what to do instead.
  package let reason: String
  /// Why the schema's author allows it all the same; nil when nobody does.
  package let allowance: String?

  /// Whether a release must not have it.
  package var isBreach: Bool { allowance == nil && levels.contains(where: \.isBreach) }
}
