/// Fields that are gone, places that are kept for them, and fields that are new.
extension SchemaComparison {
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
          "'\(field.name)' takes a removed field's number; messages that still carry that one would be read as"
            + " '\(field.name)'; reserve the number again and append the field")
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
      let (isRequest, isElsewhere) = (use.contains(.request), use.contains(.elsewhere))
      let isRefused = isRequest && new.zeroBreaksMarks(field, levels: 16)
      guard field.cardinality == .one || isRefused else { return nil }
      var effects: [String] = []
      if isRequest {
        effects.append(
          "earlier clients do not send it, and "
            + (isRefused ? "absent breaks its marks, so their calls are refused" : "JSON without it is refused"))
      }
      if isElsewhere {
        effects.append("what lies about reads as \(zero(field.type, in: new)), as if somebody had said so")
      }
      let remedy = field.cardinality == .one ? "optional" : "a list that may be empty"
      return finding(
        .requiredFieldAdded, (isRefused || isElsewhere ? [.wire] : []) + (isRequest ? [.json] : []),
        "\(message.fullName).\(field.name)", was: old.place(message.file, message.position),
        now: [new.place(current.file, field.position)] + declaration(current.position, current.file),
        "the field is new and must be there; \(effects.joined(separator: "; ")); make it \(remedy)")
    }
  }
}
