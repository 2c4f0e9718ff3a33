internal import JetStream
internal import JSON
internal import Schema

/// What the present schemas break for each of several earlier ones.
struct ReleaseComparison: Sendable {
  /// A change, with every release for which it breaks something.
  struct Change: Sendable {
    let finding: CompatibilityFinding
    /// Where it was in each release.
    var releases: [(name: String, place: String)]
  }

  /// The names of the releases, as given.
  private(set) var names: [String] = []
  /// In the order in which they were found.
  private(set) var changes: [Change] = []
  private let directory: SchemaDirectory
  private let schemas: SchemaSet

  /// Nothing is compared yet.
  init(_ schemas: SchemaSet, in directory: SchemaDirectory) {
    self.schemas = schemas
    self.directory = directory
  }

  /// Compares with earlier schemas. The same change is listed once, whatever releases it breaks.
  mutating func compare(with earlier: SchemaSet, in earlierDirectory: SchemaDirectory, name: String) {
    names.append(name)
    for finding in SchemaComparison.findings(from: earlier, to: schemas) {
      let release = (name: name, place: earlierDirectory.path(of: finding.old))
      if let index = changes.firstIndex(where: { $0.finding.isSameChange(as: finding) }) {
        changes[index].releases.append(release)
      } else {
        changes.append(Change(finding: finding, releases: [release]))
      }
    }
  }

  /// How many changes no release must have.
  var breaches: Int { changes.count { $0.finding.isBreach } }

  // MARK: Text and JSON

  /// A paragraph for each change, and a line that counts.
  var text: String {
    let rest = changes.count - breaches
    let count = counted(breaches, "breach", "breaches")
    let notes = rest == 0 ? "" : ", \(rest) more to know of"
    return (changes.map(text) + ["compared with \(names.joined(separator: ", ")): \(count)\(notes)"])
      .joined(separator: "\n")
  }

  private func text(of change: Change) -> String {
    let finding = change.finding
    let levels = finding.levels.map(\.rawValue).joined(separator: ", ")
    let place = finding.new.map(directory.path(of:)) ?? directory.path
    let allowed = finding.allowance.map { "\n  allowed: \($0)" } ?? ""
    let was = change.releases.map { "\n  was in \($0.name) at \($0.place)" }.joined()
    return "\(place): \(levels): \(finding.subject): \(finding.reason) [\(finding.rule.rawValue)]\(allowed)\(was)"
  }

  /// A document for each change.
  var json: [JSONValue] {
    changes.map { change in
      let finding = change.finding
      return [
        "rule": .string(finding.rule.rawValue), "levels": .array(finding.levels.map { .string($0.rawValue) }),
        "breach": .bool(finding.isBreach), "subject": .string(finding.subject),
        "place": finding.new.map { .string(directory.path(of: $0)) } ?? .null,
        "was": .array(change.releases.map { ["release": .string($0.name), "place": .string($0.place)] }),
        "reason": .string(finding.reason), "allowed": finding.allowance.map { .string($0) } ?? .null,
      ]
    }
  }
}

extension CompatibilityFinding {
  /// Whether two releases suffer from the same.
  fileprivate func isSameChange(as other: CompatibilityFinding) -> Bool {
    rule == other.rule && subject == other.subject && new == other.new && reason == other.reason
      && levels == other.levels
  }
}
