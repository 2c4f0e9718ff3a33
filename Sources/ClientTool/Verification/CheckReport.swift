internal import JSON

/// What a check found, as it is shown.
struct CheckReport {
  let check: any Check
  let finding: Finding
  let time: Duration

  /// A line, and one for each breach.
  var text: String {
    let columns = [
      (finding.holds ? "ok" : "BROKEN", 8), (check.name, 11), ("\(fixedPoint(time / .seconds(1), 2)) s", 9),
      (finding.rows.map { counted(Int($0), "row") } ?? "", 15),
    ]
    let line = columns.map { text, width in text + String(repeating: " ", count: max(1, width - text.count)) }
    var lines = [line.joined() + check.rule]
    lines += finding.breaches.map { "          \(check.subject) \($0.id) \($0.problem)" }
    if let rest { lines.append("          \(rest)") }
    return lines.joined(separator: "\n")
  }

  /// What is not told of; nil when that is nothing.
  private var rest: String? {
    let count = finding.count - Int64(finding.breaches.count)
    if !finding.isWhole { return "… and \(count == 0 ? "maybe" : "\(count) or") more: the rest was not looked at" }
    return count == 0 ? nil : "… and \(count) more"
  }

  /// A document.
  var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("check", .string(check.name)), .init("rule", .string(check.rule)), .init("holds", .bool(finding.holds)),
      .init("seconds", .number(time / .seconds(1))),
    ]
    if let rows = finding.rows { members.append(.init("rows", .integer(rows))) }
    let breaches = finding.breaches.map { breach -> JSONValue in
      ["subject": .string(check.subject), "id": .string(breach.id), "problem": .string(breach.problem)]
    }
    members += [
      .init("breaches", .integer(finding.count)), .init("isWhole", .bool(finding.isWhole)),
      .init("offending", .array(breaches)),
    ]
    return .object(members)
  }
}
