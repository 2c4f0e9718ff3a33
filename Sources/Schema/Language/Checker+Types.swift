extension Checker {
  /// The most fields of a message, removed ones counted: each has a presence bit in the header.
  static let fieldsMax = 48

  // MARK: Enums

  mutating func checkEnums() -> [EnumDescriptor] {
    var enums: [EnumDescriptor] = []
    for file in syntax.indices {
      for declaration in syntax[file].enums {
        requireDocs(declaration.docs, of: "enum", in: file, at: declaration.name.position)
        if declaration.cases.isEmpty {
          report("an enum needs a case, such as 'NEW = 1'", in: file, at: declaration.name.position)
        }
        enums.append(
          EnumDescriptor(
            name: declaration.name.value, fullName: fullName(declaration.name.value, in: file),
            cases: checkCases(declaration.cases, in: file), file: file, docs: declaration.docs,
            position: declaration.name.position))
      }
    }
    return enums
  }

  private mutating func checkCases(_ cases: [EnumCaseSyntax], in file: Int) -> [EnumCaseDescriptor] {
    var names: Set<String> = []
    var numbers: [Int64: String] = [:]
    var result: [EnumCaseDescriptor] = []
    for declaration in cases {
      let (name, number) = (declaration.name, declaration.number)
      requireDocs(declaration.docs, of: "case", in: file, at: name.position)
      if !isUpperSnakeCase(name.value) {
        report("'\(name.value)' must be in UPPER_SNAKE_CASE, such as 'NO_ACCOUNT'", in: file, at: name.position)
      }
      if !names.insert(name.value).inserted {
        report("the enum has a case '\(name.value)' already", in: file, at: name.position)
      }
      guard let value = UInt16(exactly: number.value) else {
        report("the number of a case is 0 to 65535, not \(number.value)", in: file, at: number.position)
        continue
      }
      if let first = numbers.updateValue(name.value, forKey: number.value) {
        report("'\(first)' has the number \(number.value) already", in: file, at: number.position)
      }
      result.append(
        EnumCaseDescriptor(name: name.value, number: value, docs: declaration.docs, position: name.position))
    }
    return result
  }

  // MARK: Messages

  mutating func checkMessages() -> [MessageDescriptor] {
    var messages: [MessageDescriptor] = []
    for file in syntax.indices {
      for declaration in syntax[file].messages {
        requireDocs(declaration.docs, of: "message", in: file, at: declaration.name.position)
        let (fields, reserved, fixedLength) = checkMembers(declaration.members, in: file)
        messages.append(
          MessageDescriptor(
            name: declaration.name.value, fullName: fullName(declaration.name.value, in: file), fields: fields,
            reserved: reserved, fixedLength: fixedLength, file: file, docs: declaration.docs,
            position: declaration.name.position))
      }
    }
    return messages
  }

  private mutating func checkMembers(
    _ members: [MemberSyntax], in file: Int
  ) -> (fields: [FieldDescriptor], reserved: [ReservedDescriptor], fixedLength: Int) {
    var fields: [FieldDescriptor] = []
    var reserved: [ReservedDescriptor] = []
    var slot = 8
    var number: Int64 = 0
    for member in members {
      checkNumber(member.number, after: number, in: file)
      if (1...Int64(Checker.fieldsMax)).contains(member.number.value) { number = member.number.value }
      guard let type = resolve(member.type.name, in: file) else { continue }
      if let name = member.name {
        checkFieldName(name, docs: member.docs, among: fields, in: file)
        let (marks, isCursor) = checkFieldMarks(member.marks, type, member.type.cardinality, in: file)
        if isCursor, let first = fields.first(where: \.isCursor) {
          report("'\(first.name)' is the message's cursor already", in: file, at: name.position)
        }
        fields.append(
          FieldDescriptor(
            name: name.value, number: Int(number), type: type, cardinality: member.type.cardinality, slot: slot,
            marks: marks, isCursor: isCursor, docs: member.docs, position: name.position))
      } else {
        reserved.append(
          ReservedDescriptor(
            number: Int(number), type: type, cardinality: member.type.cardinality, position: member.number.position))
      }
      slot += FieldDescriptor.slotSize(type, member.type.cardinality)
    }
    return (fields, reserved, slot - 8)
  }

  private mutating func checkNumber(_ number: Located<Int64>, after last: Int64, in file: Int) {
    if number.value > Checker.fieldsMax || last >= Checker.fieldsMax {
      report("a message has at most \(Checker.fieldsMax) fields", in: file, at: number.position)
    } else if number.value != last + 1 {
      report(
        "the number is \(number.value) where \(last + 1) is next; fields are numbered 1, 2, 3 and so on in order, and"
          + " a removed one stays as 'reserved TYPE = n'", in: file, at: number.position)
    }
  }

  private mutating func checkFieldName(
    _ name: Located<String>, docs: String, among fields: [FieldDescriptor], in file: Int
  ) {
    requireDocs(docs, of: "field", in: file, at: name.position)
    if !isLowerCamelCase(name.value) {
      report("'\(name.value)' must be in lowerCamelCase, such as 'createdAt'", in: file, at: name.position)
    }
    if fields.contains(where: { $0.name == name.value }) {
      report("the message has a field '\(name.value)' already", in: file, at: name.position)
    }
  }

  // MARK: Nesting

  /// Refuses messages that contain themselves other than through a list: they would have no end.
  mutating func checkNesting(_ messages: [MessageDescriptor]) {
    // Takes away messages whose contents have all been taken away, until only cycles and what leads to them are left.
    var contents = messages.map { Set($0.containedMessages) }
    var containers = [[Int]](repeating: [], count: messages.count)
    for (index, contained) in contents.enumerated() { for inner in contained { containers[inner].append(index) } }
    var finished = messages.indices.filter { contents[$0].isEmpty }
    while let done = finished.popLast() {
      for container in containers[done] {
        contents[container].remove(done)
        if contents[container].isEmpty { finished.append(container) }
      }
    }
    var seen: Set<Int> = []
    for start in messages.indices where !contents[start].isEmpty {
      var path: [Int] = []
      var index = start
      while seen.insert(index).inserted, let next = contents[index].min() {
        path.append(index)
        index = next
      }
      guard let begin = path.firstIndex(of: index) else { continue }
      let cycle = (path[begin...] + [index]).map { messages[$0].name }.joined(separator: " contains ")
      report(
        "\(cycle), so it would have no end; a list<…> may be empty and ends it", in: messages[index].file,
        at: messages[index].position)
    }
  }
}

extension MessageDescriptor {
  /// The messages that a value of this type holds, other than in lists.
  fileprivate var containedMessages: [Int] {
    fields.compactMap { field in
      if case .message(let index) = field.type, field.cardinality != .list { index } else { nil }
    }
  }
}
