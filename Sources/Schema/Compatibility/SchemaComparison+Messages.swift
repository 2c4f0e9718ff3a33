extension SchemaComparison {
  func messageFindings() -> [CompatibilityFinding] {
    old.messages.indices.flatMap { index in
      let message = old.messages[index]
      let was = old.place(message.file, message.position)
      guard let place = pairs.messages[index] else { return [removed(message, messageUses[index], was)] }
      let current = new.messages[place]
      var findings: [CompatibilityFinding] = []
      let now = declaration(current.position, current.file)
      if pairs.currentName(message.fullName, message.file) != current.fullName {
        findings.append(
          finding(
            .messageRenamed, [.source], message.fullName, was: was, now: now,
            "the message is called \(current.fullName) now; its bytes are the same, code that names it has to follow"))
      }
      if !old.isRecursive(index), new.isRecursive(place) {
        findings.append(
          finding(
            .messageBecameRecursive, [.source], message.fullName, was: was, now: now,
            "the message can hold itself now; readers refuse a message with more than 16 levels, so say how deep it may"
              + " go and check it before sending"))
      }
      return findings + memberFindings(index, place)
    }
  }

  /// What no method carries is known to its readers by its name; everything else breaks where it was used.
  private func removed(
    _ message: MessageDescriptor, _ use: MessageUse, _ was: SourcePlace
  ) -> CompatibilityFinding {
    let isElsewhere = use.contains(.elsewhere)
    return finding(
      .messageRemoved, isElsewhere ? [.wire, .source] : [.source], message.fullName, was: was,
      now: file(like: message.file),
      isElsewhere
        ? "the message is gone and no method carried it, so it may lie in a stream or a table where nobody can read it"
          + " any more; keep it until none is left"
        : "the message is gone; code that names it does not build any more")
  }

  private func memberFindings(_ index: Int, _ place: Int) -> [CompatibilityFinding] {
    let (message, current) = (old.messages[index], new.messages[place])
    let use = messageUses[index]
    let kept = message.fields.flatMap { field -> [CompatibilityFinding] in
      let was = old.place(message.file, field.position)
      let subject = "\(message.fullName).\(field.name)"
      guard let successor = current.successor(of: field, in: message) else {
        return [removed(field, subject, was, in: current, use)]
      }
      let step = FieldStep(
        old: field, new: successor, subject: subject, use: use, was: was,
        now: [new.place(current.file, successor.position)] + declaration(current.position, current.file))
      return fieldFindings(step)
    }
    return kept + reservedFindings(message, current) + addedFindings(message, current, use)
  }
}

extension MessageDescriptor {
  /// What a field of an earlier version has become: the field of its name, else the one of its number if that one had no
  /// name of its own then. None when the field is reserved: a field of its name may have been appended since.
  fileprivate func successor(of field: FieldDescriptor, in earlier: MessageDescriptor) -> FieldDescriptor? {
    guard !reserved.contains(where: { $0.number == field.number }) else { return nil }
    return self.field(named: field.name)
      ?? fields.first { $0.number == field.number && earlier.field(named: $0.name) == nil }
  }
}

extension SchemaSet {
  /// Whether a message can hold one of its own type, however deep.
  fileprivate func isRecursive(_ start: Int) -> Bool {
    var seen: Set<Int> = []
    var waiting = [start]
    while let index = waiting.popLast() {
      for case .message(let inner) in messages[index].fields.map(\.type) {
        if inner == start { return true }
        if seen.insert(inner).inserted { waiting.append(inner) }
      }
    }
    return false
  }
}
