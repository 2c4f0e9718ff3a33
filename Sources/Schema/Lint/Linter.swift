/// Finds what the language allows and a reader, a caller or the next release would regret.
package struct Linter {
  let schemas: SchemaSet
  let uses: (messages: [MessageUse], enums: [MessageUse])
  private let allowances: Allowances
  private var findings: [LintFinding] = []
  private var allowancesUsed: Set<SourcePlace> = []

  private init(_ schemas: SchemaSet) {
    self.schemas = schemas
    uses = schemas.uses()
    allowances = Allowances(schemas)
  }

  /// Everything found, but for what an `// allow` comment allows, in the order of the files and their lines.
  package static func findings(in schemas: SchemaSet) -> [LintFinding] {
    var linter = Linter(schemas)
    linter.checkFiles()
    linter.checkEnums()
    linter.checkMessages()
    linter.checkServices()
    linter.checkAllowances()
    return linter.findings.enumerated().sorted { left, right in
      left.element.place == right.element.place ? left.offset < right.offset : left.element.place < right.element.place
    }.map(\.element)
  }

  /// Notes a finding, unless it is allowed.
  ///
  /// - Parameters:
  ///   - file: The index of the file.
  ///   - declarations: The declaration that it is about and those that it lies in, from the innermost outwards.
  mutating func report(_ rule: LintRule, _ message: String, in file: Int, at declarations: SourcePosition...) {
    let positions = declarations + [schemas.files[file].packagePosition]
    let places = positions.map { schemas.place(file, $0) }
    if let allowance = allowances.first(of: rule.rawValue, at: places) {
      allowancesUsed.insert(allowance.place)
    } else {
      findings.append(LintFinding(rule: rule, place: places[0], message: message))
    }
  }

  /// Allowances are rules broken on purpose: each names a rule, says why, and goes when it is not needed any more.
  private mutating func checkAllowances() {
    let changes = CompatibilityRule.allCases.map(\.rawValue)
    let known = LintRule.allCases.map(\.rawValue) + changes
    for allowance in allowances.all {
      let problem: String
      if !known.contains(allowance.rule) {
        problem = "there is no rule '\(allowance.rule)'" + suggestion(for: allowance.rule, among: known)
      } else if allowance.reason.isEmpty {
        problem = "say why: '// allow \(allowance.rule): reason'"
      } else if !changes.contains(allowance.rule), !allowancesUsed.contains(allowance.place) {
        problem = "\(allowance.rule) finds nothing here; remove the comment"
      } else {
        continue
      }
      findings.append(LintFinding(rule: .allowance, place: allowance.place, message: problem))
    }
  }
}
