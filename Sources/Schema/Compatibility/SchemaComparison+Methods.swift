/// A method in both versions.
struct MethodStep {
  let old: MethodDescriptor
  let new: MethodDescriptor
  let was: SourcePlace
  /// The method and what it lies in, from the innermost outwards.
  let now: [SourcePlace]
}

extension SchemaComparison {
  func finding(
    _ rule: CompatibilityRule, _ levels: [CompatibilityLevel], _ step: MethodStep, _ reason: String
  ) -> CompatibilityFinding {
    finding(rule, levels, step.old.fullName, was: step.was, now: step.now, reason)
  }

  func nameFindings(_ step: MethodStep) -> [CompatibilityFinding] {
    var findings: [CompatibilityFinding] = []
    if step.old.number != step.new.number {
      findings.append(
        finding(
          .methodNumberChanged, [.wire], step,
          "the method's number was \(step.old.number) and is \(step.new.number) now; frames carry the number, so earlier"
            + " clients call something else or nothing; give it \(step.old.number) back"))
    }
    if step.old.name != step.new.name {
      findings.append(
        finding(
          .methodRenamed, [.json, .source], step,
          "the method is called \(step.new.name) now; callers that name it do not find it any more, so keep the old name"
        ))
    }
    return findings
  }

  func typeFindings(_ step: MethodStep) -> [CompatibilityFinding] {
    var findings: [CompatibilityFinding] = []
    if step.old.shape != step.new.shape {
      findings.append(
        finding(
          .methodShapeChanged, [.wire, .json, .source], step,
          "the method was \(step.old.shape) and is \(step.new.shape) now; the two sides of a call would wait for each"
            + " other or break it off; add a method of the new shape"))
    }
    for (rule, what, left, right) in [
      (CompatibilityRule.methodRequestChanged, "takes", step.old.request, step.new.request),
      (.methodResponseChanged, "returns", step.old.response, step.new.response),
    ] where pairs.messages[left] != right {
      findings.append(
        finding(
          rule, [.wire, .json, .source], step,
          "the method \(what) \(new.messages[right].fullName) where it was \(old.messages[left].fullName); each side would"
            + " read the other's bytes as another message; add a method, or append fields to the old message"))
    }
    return findings
  }

  /// What a client that knows the earlier schema repeats, must stay harmless to repeat.
  func repetitionFindings(_ step: MethodStep) -> [CompatibilityFinding] {
    if step.old.isIdempotent, !step.new.isIdempotent {
      return [
        finding(
          .idempotentRemoved, [.wire, .json], step,
          "@idempotent is gone; earlier clients go on repeating the call when its answer is lost, and each repeat would"
            + " have its effect; add a method that may not be repeated")
      ]
    }
    if step.old.takesIdempotencyKey, !step.new.takesIdempotencyKey, !step.new.isIdempotent {
      return [
        finding(
          .idempotencyKeyRemoved, [.wire, .json], step,
          "@idempotencyKey is gone; callers repeat with their key and would have the effect twice; keep the mark")
      ]
    }
    return []
  }

  /// Who may call by the earlier schema must not be refused by the new.
  func accessFindings(_ step: MethodStep) -> [CompatibilityFinding] {
    let (old, new) = (step.old.access, step.new.access)
    let isKept =
      switch (old, new) {
      case (nil, _), (.operators, _), (_, .anyone), (.object, .object), (.owner, .object): true
      case (.owner(let before), .owner(let after)): before == after
      default: false
      }
    if isKept { return [] }
    return [
      finding(
        .accessNarrowed, [.wire, .json], step,
        "callers that @access let in are refused now; add a method for the fewer, or keep the mark")
    ]
  }
}

extension MethodDescriptor {
  /// Such as `rpc (A) -> stream B`, without the names.
  fileprivate var shape: String {
    switch (requestIsStream, responseIsStream) {
    case (false, false): "one request and one response"
    case (false, true): "one request and a stream of responses"
    case (true, false): "a stream of requests and one response"
    case (true, true): "a stream of requests and a stream of responses"
    }
  }
}
