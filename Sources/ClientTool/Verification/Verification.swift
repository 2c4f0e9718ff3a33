internal import EventLoop
internal import JetStream

/// Makes checks one after the other, and prints what each finds.
struct Verification {
  /// How many breaches of a check are told of.
  let limit: Int
  let isJSON: Bool
  let terminal: Terminal

  /// Makes `checks`; the exit status is OK when all of them hold.
  func run(_ checks: [any Check], at system: AuditedSystem) async throws -> ExitStatus {
    var broken: [String] = []
    let progress = ProgressLine(loop: system.loop, terminal: isJSON ? nil : terminal)
    for (index, check) in checks.enumerated() {
      let begin = LoopInstant.current
      progress.begin("\(index + 1) of \(checks.count): \(check.name)")
      defer { progress.end() }
      let finding = try await check.look(at: system, limit: Int64(limit))
      progress.end()
      let report = CheckReport(check: check, finding: finding, time: LoopInstant.current - begin)
      terminal.print(isJSON ? "\(report.json)" : report.text)
      if !finding.holds { broken.append(check.name) }
    }
    if !isJSON { terminal.print("\n" + Self.verdict(of: checks.count, broken: broken)) }
    return broken.isEmpty ? .ok : .notWell
  }

  private static func verdict(of count: Int, broken: [String]) -> String {
    if broken.isEmpty { return "all \(counted(count, "check")) hold" }
    return "\(broken.count) of \(counted(count, "check")) \(broken.count == 1 ? "is" : "are") broken: "
      + broken.joined(separator: ", ")
  }
}
