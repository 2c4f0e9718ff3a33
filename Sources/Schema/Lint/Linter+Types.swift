import Wire

extension Linter {
  // MARK: Enums

  mutating func checkEnums() {
    let used = Set(
      schemas.messages.flatMap(\.fields).compactMap { field in
        if case .enumeration(let index) = field.type { index } else { nil }
      })
    for (index, type) in schemas.enums.enumerated() {
      checkDocs(type.docs, of: type.name, in: type.file, at: type.position)
      checkAcronyms(type.name, in: type.file, at: type.position)
      if !used.contains(index), isPartOfService(type.file) {
        report(.unusedType, "no field holds '\(type.name)'; remove it", in: type.file, at: type.position)
      }
      checkCases(of: type)
    }
  }

  private mutating func checkCases(of type: EnumDescriptor) {
    if let least = type.cases.min(by: { $0.number < $1.number }), least.number != type.cases[0].number {
      report(
        .enumFirstCase,
        "an absent \(type.name) reads as \(type.cases[0].name), its first case, where most languages would take"
          + " \(least.name), the lowest number; declare the cases in the order of their numbers", in: type.file,
        at: type.cases[0].position, type.position)
    }
    let prefix = upperSnakeCase(type.name) + "_"
    for value in type.cases {
      checkDocs(value.docs, of: value.name, in: type.file, at: value.position, within: type.position)
      if value.name.hasPrefix(prefix) {
        report(
          .caseRepeatsEnum,
          "'\(value.name)' repeats the enum's name, which stands before it everywhere; call it"
            + " '\(value.name.dropFirst(prefix.count))'", in: type.file, at: value.position, type.position)
      }
    }
  }

  private func upperSnakeCase(_ name: String) -> String {
    name.enumerated().map { $0.offset > 0 && $0.element.isUppercase ? "_\($0.element)" : $0.element.uppercased() }
      .joined()
  }

  /// A file without services declares what others use, such as events: there, nothing is too much.
  private func isPartOfService(_ file: Int) -> Bool { schemas.services.contains { $0.file == file } }

  // MARK: Messages

  mutating func checkMessages() {
    var held: Set<Int> = []
    for (index, message) in schemas.messages.enumerated() {
      for case .message(let inner) in message.fields.map(\.type) where inner != index { held.insert(inner) }
    }
    for (index, message) in schemas.messages.enumerated() {
      checkDocs(message.docs, of: message.name, in: message.file, at: message.position)
      checkAcronyms(message.name, in: message.file, at: message.position)
      if uses.messages[index] == .elsewhere, !held.contains(index), isPartOfService(message.file) {
        report(
          .unusedType, "no method and no field carries '\(message.name)'; remove it", in: message.file,
          at: message.position)
      }
      let count = message.fields.count + message.reserved.count
      if count > 40 {
        report(
          .messageNearlyFull,
          "\(count) of at most \(Checker.fieldsMax) fields are taken; put what belongs together into a message",
          in: message.file, at: message.position)
      }
      for field in message.fields { check(field, of: message, uses.messages[index]) }
    }
  }

  private mutating func check(_ field: FieldDescriptor, of message: MessageDescriptor, _ use: MessageUse) {
    let (file, position) = (message.file, field.position)
    checkDocs(field.docs, of: field.name, in: file, at: position, within: message.position)
    checkAcronyms(field.name, in: file, at: position, within: message.position)
    if field.type == .float64, field.isNamedLikeMoney {
      report(
        .moneyAsFloat,
        "'\(field.name)' sounds like money, and a float64 does not hold every cent; use int64 in minor units", in: file,
        at: position, message.position)
    }
    guard use.contains(.request) else { return }
    if field.cardinality == .list, field.marks.length == nil {
      report(
        .unboundedList, "a caller decides how many '\(field.name)' there are; bound them with @length(0, 100)",
        in: file,
        at: position, message.position)
    }
    let isText = field.type == .string || field.type == .bytes
    if isText, field.cardinality != .list, field.marks.length == nil, field.marks.pattern?.lengthMax == nil {
      report(
        .unboundedText, "a caller decides how long '\(field.name)' is; bound it with @length(0, 100)", in: file,
        at: position, message.position)
    }
  }
}

extension FieldDescriptor {
  fileprivate var isNamedLikeMoney: Bool {
    let name = name.lowercased()
    return ["amount", "price", "balance", "total", "cost", "fee", "money"].contains { name.contains($0) }
  }
}
