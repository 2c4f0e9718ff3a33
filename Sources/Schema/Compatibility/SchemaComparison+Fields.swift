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
    return findings + presenceFindings(step) + boundsFindings(step)
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

  // MARK: Removed and added

  func removed(
    _ field: FieldDescriptor, _ subject: String, _ was: SourcePlace, in current: MessageDescriptor, _ use: MessageUse
  ) -> CompatibilityFinding {
    let message = declaration(current.position, current.file)
    guard let reserved = current.reserved.first(where: { $0.number == field.number }) else {
      return finding(
        .fieldRemovedUnreserved, [.wire, .json, .source], subject, was: was, now: message,
        "the field is gone and its place is not kept; what takes the number \(field.number) would be read from its bytes;"
          + " write 'reserved \(old.spelling(of: field)) = \(field.number)'")
    }
    let isMissed = use.isReadByEarlier && field.cardinality == .one
    return finding(
      .fieldRemoved, isMissed ? [.wire, .json, .source] : [.json, .source], subject, was: was,
      now: [new.place(current.file, reserved.position)] + message,
      (isMissed
        ? "the field is gone; earlier readers take it for \(zero(field.type, in: old)) without knowing better"
        : "the field is gone; JSON that gives it is refused, and clients that read it find nothing")
        + "; go on writing it until no release that reads it is left")
  }

  func reservedFindings(_ message: MessageDescriptor, _ current: MessageDescriptor) -> [CompatibilityFinding] {
    message.reserved.compactMap { place in
      let subject = "\(message.fullName) \(place.number)"
      let (was, outer) = (old.place(message.file, place.position), declaration(current.position, current.file))
      if let field = current.fields.first(where: { $0.number == place.number }) {
        return finding(
          .reservedReused, [.wire], subject, was: was, now: [new.place(current.file, field.position)] + outer,
          "'\(field.name)' takes a removed field's number; messages of before that field was removed still carry it and"
            + " would be read as '\(field.name)'; reserve the number again and append the field")
      }
      guard let kept = current.reserved.first(where: { $0.number == place.number }) else {
        return finding(
          .reservedRemoved, [.wire], subject, was: was, now: outer,
          "the removed field's place is not kept any more; write"
            + " 'reserved \(old.spelling(of: place.type, place.cardinality)) = \(place.number)'")
      }
      guard kept.slotSize != place.slotSize else { return nil }
      return finding(
        .reservedTypeChanged, [.wire], subject, was: was, now: [new.place(current.file, kept.position)] + outer,
        "the removed field's slot had \(place.slotSize) bytes and has \(kept.slotSize), so every field behind it is read"
          + " from the wrong place; reserve \(old.spelling(of: place.type, place.cardinality))")
    } + misplacedFindings(message, current)
  }

  /// A field that has become reserved keeps its slot only if the type has the same size.
  private func misplacedFindings(
    _ message: MessageDescriptor, _ current: MessageDescriptor
  ) -> [CompatibilityFinding] {
    message.fields.compactMap { field in
      guard let kept = current.reserved.first(where: { $0.number == field.number }), kept.slotSize != field.slotSize
      else { return nil }
      return finding(
        .reservedTypeChanged, [.wire], "\(message.fullName).\(field.name)",
        was: old.place(message.file, field.position),
        now: [new.place(current.file, kept.position)] + declaration(current.position, current.file),
        "the removed field's slot had \(field.slotSize) bytes and has \(kept.slotSize), so every field behind it is read"
          + " from the wrong place; reserve \(old.spelling(of: field))")
    }
  }

  /// Earlier writers do not know an appended field: it must be able to be absent where they write.
  func addedFindings(
    _ message: MessageDescriptor, _ current: MessageDescriptor, _ use: MessageUse
  ) -> [CompatibilityFinding] {
    guard use.isWrittenByEarlier else { return [] }
    let last = max(message.fields.last?.number ?? 0, message.reserved.last?.number ?? 0)
    return current.fields.compactMap { field in
      guard field.number > last, field.cardinality != .optional else { return nil }
      let isRefused = use.contains(.request) && new.zeroBreaksMarks(field, levels: 16)
      guard field.cardinality == .one || isRefused else { return nil }
      let isRequest = use.contains(.request)
      let effect =
        isRefused
        ? "earlier clients do not send it, and absent breaks its marks, so their calls are refused"
        : isRequest
          ? "earlier clients do not send it, and JSON without it is refused"
          : "what was written before reads as \(zero(field.type, in: new)), as if somebody had said so"
      return finding(
        .requiredFieldAdded, isRefused ? [.wire, .json] : isRequest ? [.json] : [.wire],
        "\(message.fullName).\(field.name)", was: old.place(message.file, message.position),
        now: [new.place(current.file, field.position)] + declaration(current.position, current.file),
        "the field is new and must be there; \(effect); make it \(field.cardinality == .one ? "optional" : "a list that may be empty")"
      )
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
