extension SchemaComparison {
  func enumFindings() -> [CompatibilityFinding] {
    old.enums.indices.flatMap { index in
      let type = old.enums[index]
      let was = old.place(type.file, type.position)
      guard let current = pairs.enums[index].map({ new.enums[$0] }) else {
        return [
          finding(
            .enumRemoved, [.source], type.fullName, was: was, now: file(like: type.file),
            "the enum is gone; code that names it does not build any more")
        ]
      }
      let now = declaration(current.position, current.file)
      var findings: [CompatibilityFinding] = []
      if pairs.currentName(type.fullName, type.file) != current.fullName {
        findings.append(
          finding(
            .enumRenamed, [.source], type.fullName, was: was, now: now,
            "the enum is called \(current.fullName) now; its bytes are the same, code that names it has to follow"))
      }
      if let first = firstCaseFinding(type, current, was, now) { findings.append(first) }
      return findings + caseFindings(type, current, now) + addedFindings(type, current, enumUses[index], was, now)
    }
  }

  private func firstCaseFinding(
    _ type: EnumDescriptor, _ current: EnumDescriptor, _ was: SourcePlace, _ now: [SourcePlace]
  ) -> CompatibilityFinding? {
    let (first, currentFirst) = (type.cases[0], current.cases[0])
    guard first.number != currentFirst.number else { return nil }
    return finding(
      .enumFirstCaseChanged, [.wire, .json], type.fullName, was: was, now: now,
      "the first case was \(first.name) and is \(currentFirst.name) now; an absent field reads as the first case, so the"
        + " two releases read the same bytes differently; put \(first.name) first again")
  }

  /// What has become of each case: known by its name, else by its number.
  private func caseFindings(
    _ type: EnumDescriptor, _ current: EnumDescriptor, _ now: [SourcePlace]
  ) -> [CompatibilityFinding] {
    type.cases.compactMap { value in
      let subject = "\(type.fullName).\(value.name)"
      let was = old.place(type.file, value.position)
      if let kept = current.enumCase(named: value.name) {
        guard kept.number != value.number else { return nil }
        return finding(
          .enumCaseRenumbered, [.wire], subject, was: was, now: [new.place(current.file, kept.position)] + now,
          "the case's number was \(value.number) and is \(kept.number) now; messages carry the number, so it is read as"
            + " another case or refused; give it \(value.number) back")
      }
      if let renamed = current.enumCase(numbered: value.number), type.enumCase(named: renamed.name) == nil {
        return finding(
          .enumCaseRenamed, [.json, .source], subject, was: was,
          now: [new.place(current.file, renamed.position)] + now,
          "the case is called \(renamed.name) now; the bytes are the same, but JSON knows cases by their names; keep the"
            + " name")
      }
      return finding(
        .enumCaseRemoved, [.wire, .json, .source], subject, was: was, now: now,
        "the case is gone; a reader refuses the whole message that carries it; keep it, and say in its doc comment that"
          + " nobody writes it any more")
    }
  }

  /// A reader refuses a message with a case that it does not know (PROTOCOL.md, Reading, rule 5).
  private func addedFindings(
    _ type: EnumDescriptor, _ current: EnumDescriptor, _ use: MessageUse, _ was: SourcePlace, _ now: [SourcePlace]
  ) -> [CompatibilityFinding] {
    current.cases.compactMap { value in
      guard type.enumCase(named: value.name) == nil, type.enumCase(numbered: value.number) == nil else { return nil }
      let isRead = use.isReadByEarlier
      return finding(
        .enumCaseAdded, isRead ? [.wire, .json, .source] : [.source], "\(type.fullName).\(value.name)", was: was,
        now: [new.place(current.file, value.position)] + now,
        isRead
          ? "the case is new, and earlier readers refuse the whole message that carries it; bring the readers up to date"
            + " before anybody writes it and say so in a '// allow' comment, or append an optional field of a new enum"
          : "the case is new; code that goes through all cases has to follow")
    }
  }
}
