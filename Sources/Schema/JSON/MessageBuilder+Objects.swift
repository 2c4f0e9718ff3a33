import Wire

extension MessageBuilder {
  /// Reads the members of an object into the fields of a message.
  mutating func readMembers(_ reader: inout JSONReader, _ frame: inout Frame) throws(JSONSyntaxError) {
    guard reader.open(closing: UInt8(ascii: "}")) else { return }
    var next = 0
    repeat {
      let name = try reader.readName()
      if let index = fieldIndex(of: name, reader, in: frame, next: next) {
        next = index + 1
        path.append(.field(message: frame.message, index: index))
        try readField(&reader, index, &frame)
        path.removeLast()
      } else {
        reportUnknown(reader.string(name), in: frame.message)
        try reader.skipValue()
      }
      try stopIfFull(reader)
    } while try reader.another(closing: UInt8(ascii: "}"))
  }

  private func fieldIndex(of name: JSONString, _ reader: borrowing JSONReader, in frame: Frame, next: Int) -> Int? {
    if frame.start == 0, let names { return names.index(of: reader.string(name), in: .body) }
    guard name.hasEscapes else {
      return translator.messages[frame.message].fieldIndex(of: reader.text.extracting(name.range), next: next)
    }
    return translator.messages[frame.message].fieldIndex(of: reader.unescaped(name).span, next: next)
  }

  private mutating func readField(
    _ reader: inout JSONReader, _ index: Int, _ frame: inout Frame
  ) throws(JSONSyntaxError) {
    let field = translator.messages[frame.message].fields[index]
    guard frame.seen & field.bit == 0 else {
      let isOfText = frame.start == 0 && fieldsOfTexts & field.bit != 0
      report(isOfText ? "is given by the path or the query already; leave it out of the body" : "is given twice")
      return try reader.skipValue()
    }
    frame.seen |= field.bit
    let kind = try reader.nextKind()
    if kind == .null, field.cardinality == .optional { return try reader.readLiteral("null") }
    let (start, problems) = (output.count, violations.count)
    if field.cardinality == .list {
      guard kind == .list else { return try refuse(kind, "a list", &reader) }
      try readList(&reader, field.type)
    } else if field.type.fixedSize != nil {
      try readFixed(&reader, kind, field.type, at: frame.start + field.slot)
    } else {
      try readContent(&reader, kind, field.type)
    }
    guard violations.count == problems else { return }
    place(field, contentStart: start, &frame)
    if field.hasMarks { checkMarks(of: field, index, contentStart: start, frame) }
  }

  /// Marks a field present, and notes in its slot where its content is, if it has one.
  mutating func place(_ field: FieldPlan, contentStart: Int, _ frame: inout Frame) {
    frame.present |= field.bit
    guard field.hasContent else { return }
    store(UInt64(contentStart - frame.start) | UInt64(output.count - contentStart) << 32, at: frame.start + field.slot)
  }

  /// Reads a list, behind whose elements' lengths the elements' contents stand.
  private mutating func readList(_ reader: inout JSONReader, _ type: FieldType) throws(JSONSyntaxError) {
    let start = output.count
    let firstLength = elementLengths.count
    var count = 0
    if let size = type.fixedSize { try reserve(4 + size, reader) }
    output.append(contentsOf: repeatElement(0, count: 4))
    if reader.open(closing: UInt8(ascii: "]")) {
      repeat {
        guard budget.elements > 0 else { throw reader.failure("the lists have too many elements") }
        budget.elements -= 1
        path.append(.element(count))
        try readElement(&reader, type)
        path.removeLast()
        count += 1
        try stopIfFull(reader)
      } while try reader.another(closing: UInt8(ascii: "]"))
    }
    endList(type, start, firstLength, count)
  }

  /// Completes a list: how many elements there are, and the lengths of those that have contents.
  mutating func endList(_ type: FieldType, _ start: Int, _ firstLength: Int, _ count: Int) {
    store(UInt32(count), at: start)
    guard type.fixedSize == nil else { return }
    output.insert(contentsOf: repeatElement(0, count: 4 * count), at: start + 4)
    for index in 0..<count { store(elementLengths[firstLength + index], at: start + 4 + 4 * index) }
    elementLengths.removeSubrange(firstLength...)
  }

  private mutating func readElement(_ reader: inout JSONReader, _ type: FieldType) throws(JSONSyntaxError) {
    let kind = try reader.nextKind()
    let start = output.count
    if let size = type.fixedSize {
      try reserve(size, reader)
      output.append(contentsOf: repeatElement(0, count: size))
      try readFixed(&reader, kind, type, at: start)
    } else {
      try readContent(&reader, kind, type)
      elementLengths.append(UInt32(output.count - start))
    }
  }

  /// Reads an object as a message at the end of the output.
  mutating func readMessage(
    _ reader: inout JSONReader, _ kind: JSONKind, _ message: Int
  ) throws(JSONSyntaxError) {
    guard kind == .object else { return try refuse(kind, "an object", &reader) }
    guard budget.depth > 0 else { throw reader.failure("messages are nested too deep") }
    budget.depth -= 1
    defer { budget.depth += 1 }
    let size = 8 + translator.messages[message].fixedLength
    try reserve(size, reader)
    var frame = Frame(message: message, start: output.count)
    output.append(contentsOf: repeatElement(0, count: size))
    try readMembers(&reader, &frame)
    finish(&frame)
  }

  /// Throws when the message would become larger than the budget allows.
  func reserve(_ size: Int, _ reader: borrowing JSONReader) throws(JSONSyntaxError) {
    guard output.count + size <= budget.bytes else {
      throw reader.failure("the request is larger than \(budget.bytes) bytes as a message")
    }
  }

  /// Throws when there are as many mistakes as are reported: nobody will see any more of them.
  private func stopIfFull(_ reader: borrowing JSONReader) throws(JSONSyntaxError) {
    if isFull { throw reader.failure("there are too many mistakes to go on") }
  }

  /// Notes that a value is of the wrong kind, and goes on behind it.
  mutating func refuse(
    _ kind: JSONKind, _ expected: String, _ reader: inout JSONReader
  ) throws(JSONSyntaxError) {
    report("expected \(expected), found \(kind.spelling)")
    try reader.skipValue()
  }

  /// Writes a value over bytes of the output.
  mutating func store(_ value: some FixedSizeValue, at offset: Int) {
    var span = output.mutableSpan
    var bytes = span.mutableBytes
    value.store(to: &bytes, at: offset)
  }

  // MARK: Finishing

  /// Completes a message: what is missing is reported, absent lists are empty, contents are in order.
  mutating func finish(_ frame: inout Frame) {
    let plan = translator.messages[frame.message]
    if frame.seen != plan.allFields { completeFields(of: plan, &frame) }
    guard violations.isEmpty else { return }
    orderContents(of: plan, frame)
    store(frame.present << 16 | UInt64(plan.fixedLength), at: frame.start)
  }

  /// Reports the fields that nobody said anything about, unless they may be absent.
  private mutating func completeFields(of plan: MessagePlan, _ frame: inout Frame) {
    for (index, field) in plan.fields.enumerated() where frame.seen & field.bit == 0 {
      switch field.cardinality {
      case .optional: break
      case .list:
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: 4))
        place(field, contentStart: start, &frame)
      case .one:
        path.append(.field(message: frame.message, index: index))
        report("is missing; expected \(expectation(of: field.type))")
        path.removeLast()
      }
    }
  }

  /// Puts the contents of a message into the order of the fields' numbers, if they are not.
  private mutating func orderContents(of plan: MessagePlan, _ frame: Frame) {
    let contentsStart = 8 + plan.fixedLength
    var end = contentsStart
    var isOrdered = true
    for field in plan.contentFields where frame.present & field.bit != 0 {
      let (offset, length) = content(at: frame.start + field.slot)
      if offset != end { isOrdered = false }
      end += length
    }
    guard !isOrdered else { return }
    let contents = Array(output[(frame.start + contentsStart)...])
    output.removeSubrange((frame.start + contentsStart)...)
    for field in plan.contentFields where frame.present & field.bit != 0 {
      let (offset, length) = content(at: frame.start + field.slot)
      let start = output.count
      output += contents[offset - contentsStart..<offset - contentsStart + length]
      store(UInt64(start - frame.start) | UInt64(length) << 32, at: frame.start + field.slot)
    }
  }

  private func content(at slot: Int) -> (offset: Int, length: Int) {
    let position = UInt64.load(output.span.bytes, at: slot) ?? 0
    return (Int(position & 0xFFFF_FFFF), Int(position >> 32))
  }
}
