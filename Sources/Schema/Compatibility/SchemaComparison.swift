/// Finds what a change of the schemas breaks.
///
/// The rules follow from `Schemas/PROTOCOL.md`, sections Messages, Evolution and JSON. They assume that servers are brought
/// up to date before their clients, and that what no method carries, such as events, goes both ways.
package struct SchemaComparison {
  let old: SchemaSet
  let new: SchemaSet
  let pairs: Pairs
  let messageUses: [MessageUse]
  let enumUses: [MessageUse]
  private let allowances: Allowances

  private init(_ old: SchemaSet, _ new: SchemaSet) {
    (self.old, self.new) = (old, new)
    pairs = Pairs(old, new)
    (messageUses, enumUses) = old.uses()
    allowances = Allowances(new)
  }

  /// Everything that the step from one version to a later one breaks, in the order of the later one's files.
  package static func findings(from old: SchemaSet, to new: SchemaSet) -> [CompatibilityFinding] {
    let comparison = SchemaComparison(old, new)
    let findings =
      comparison.packageFindings() + comparison.serviceFindings() + comparison.messageFindings()
      + comparison.enumFindings()
    return findings.enumerated().sorted { left, right in
      let places = (left.element.new ?? left.element.old, right.element.new ?? right.element.old)
      return places.0 == places.1 ? left.offset < right.offset : places.0 < places.1
    }.map(\.element)
  }

  /// A finding.
  ///
  /// - Parameter now: The declarations in the newer version that it is about, from the innermost outwards; the first one
  ///   is shown, and a comment above any of them may allow it.
  func finding(
    _ rule: CompatibilityRule, _ levels: [CompatibilityLevel], _ subject: String, was: SourcePlace,
    now: [SourcePlace], _ reason: String
  ) -> CompatibilityFinding {
    CompatibilityFinding(
      rule: rule, levels: levels.sorted(), subject: subject, old: was, new: now.first, reason: reason,
      allowance: allowances.first(of: rule.rawValue, at: now)?.reason)
  }

  /// Where the newer version names the package of the file that was called so; empty when the file is gone.
  func file(like file: Int) -> [SourcePlace] {
    new.files.first { $0.name == old.files[file].name }.map {
      [SourcePlace(file: $0.name, position: $0.packagePosition)]
    }
      ?? []
  }

  /// A declaration in the newer version, with its file.
  func declaration(_ position: SourcePosition, _ file: Int) -> [SourcePlace] {
    [new.place(file, position), new.place(file, new.files[file].packagePosition)]
  }

  private func packageFindings() -> [CompatibilityFinding] {
    old.files.compactMap { file in
      guard let name = pairs.packages[file.package], let now = new.files.first(where: { $0.name == file.name }) else {
        return nil
      }
      return finding(
        .packageRenamed, [.json, .source], file.package,
        was: SourcePlace(file: file.name, position: file.packagePosition),
        now: [SourcePlace(file: now.name, position: now.packagePosition)],
        "the package is called \(name) now; callers and stored events name its services and messages in full, so keep"
          + " the old name")
    }
  }
}
