/// A field in both versions.
struct FieldStep {
  let old: FieldDescriptor
  let new: FieldDescriptor
  let subject: String
  /// What the message was part of.
  let use: MessageUse
  let was: SourcePlace
  /// The field and what it lies in, from the innermost outwards.
  let now: [SourcePlace]
}

extension SchemaComparison {
  func finding(
    _ rule: CompatibilityRule, _ levels: [CompatibilityLevel], _ step: FieldStep, _ reason: String
  ) -> CompatibilityFinding {
    finding(rule, levels, step.subject, was: step.was, now: step.now, reason)
  }

  func fieldFindings(_ step: FieldStep) -> [CompatibilityFinding] {
    guard step.old.number == step.new.number else {
      return [
        finding(
          .fieldNumberChanged, [.wire], step,
          "the field's number was \(step.old.number) and is \(step.new.number) now; its place in the bytes follows from"
            + " the number, so the two releases read each other's messages wrongly; give it \(step.old.number) back and"
            + " append what is new")
      ]
    }
    var findings: [CompatibilityFinding] = []
    if step.old.name != step.new.name {
      findings.append(
        finding(
          .fieldRenamed, [.json, .source], step,
          "the field is called '\(step.new.name)' now; the bytes are the same, but JSON knows fields by their names: the"
            + " old one is refused in requests and missing in responses; keep the name"))
    }
    if let finding = typeFinding(step) { return findings + [finding] }
    return findings + presenceFindings(step) + boundsFindings(step) + cursorFindings(step)
  }

  private func cursorFindings(_ step: FieldStep) -> [CompatibilityFinding] {
    guard step.old.isCursor, !step.new.isCursor else { return [] }
    return [
      finding(
        .cursorRemoved, [.json], step,
        "@cursor is gone; HTTP clients whose stream breaks off cannot go on where they were; keep the mark")
    ]
  }

  private func typeFinding(_ step: FieldStep) -> CompatibilityFinding? {
    let isListKept = (step.old.cardinality == .list) == (step.new.cardinality == .list)
    guard !isListKept || !pairs.isSame(step.old.type, step.new.type) else { return nil }
    let (spelling, currentSpelling) = (old.spelling(of: step.old), new.spelling(of: step.new))
    let effect =
      step.old.slotSize != step.new.slotSize
      ? "its slot had \(step.old.slotSize) bytes and has \(step.new.slotSize), so it and every field behind it are read"
        + " from the wrong place"
      : "the same bytes would be read as something else"
    let isNumber = isListKept && step.old.type.isInteger && step.new.type.isInteger
    return finding(
      .fieldTypeChanged, isNumber ? [.wire, .source] : [.wire, .json, .source], step,
      "the field was \(spelling) and is \(currentSpelling) now; \(effect); append a field of the new type and keep this"
        + " one")
  }

  /// `T` and `T?` have the same bytes, but not the same meaning when the field is absent.
  private func presenceFindings(_ step: FieldStep) -> [CompatibilityFinding] {
    switch (step.old.cardinality, step.new.cardinality) {
    case (.one, .optional):
      let isRead = step.use.isReadByEarlier
      return [
        finding(
          .fieldBecameOptional, isRead ? [.wire, .json, .source] : [.source], step,
          isRead
            ? "the field may be absent now; earlier readers take absent for \(zero(step.old.type, in: old)), and JSON"
              + " clients miss it; go on writing it always, and append an optional field beside it"
            : "the field may be absent now; code that sets or reads it has to follow")
      ]
    case (.optional, .one):
      let isWritten = step.use.isWrittenByEarlier
      return [
        finding(
          .fieldBecameRequired, isWritten ? [.wire, .json, .source] : [.source], step,
          isWritten
            ? "the field must be there now; where earlier writers leave it out, it reads as"
              + " \(zero(step.new.type, in: new)), and JSON without it is refused; keep the '?'"
            : "the field is always there now; code that sets or reads it has to follow")
      ]
    default: return []
    }
  }

  /// What an absent field of this type reads as, in words.
  func zero(_ type: FieldType, in schemas: SchemaSet) -> String {
    switch type {
    case .bool: "false"
    case .string, .bytes: "empty"
    case .uuid: "the nil UUID"
    case .timestamp: "1970"
    case .enumeration(let index): schemas.enums[index].cases[0].name
    case .message: "a message of absent fields"
    default: "0"
    }
  }
}

extension FieldType {
  fileprivate var isInteger: Bool {
    switch self {
    case .int32, .int64, .uint32, .uint64: true
    default: false
    }
  }
}
