package import Wire

extension JSONTranslator {
  /// Appends a message as JSON, in one pass over its bytes.
  ///
  /// - Parameters:
  ///   - message: The bytes of the message.
  ///   - index: Its type, by the index in ``SchemaSet/messages``.
  ///   - json: What to append to.
  ///   - sizeMax: About the most bytes to append: absent messages cost no bytes of the message, and yet some of JSON.
  ///   - budget: What reading the message may use.
  /// - Throws: ``DecodingError`` when the bytes are not such a message, or JSON cannot say what they say (a number that
  ///   is not finite); what has been appended by then is of no use.
  package func append(
    _ message: RawSpan, of index: Int, to json: inout [UInt8], sizeMax: Int = 16 << 20,
    budget: DecodingBudget = .default
  ) throws(DecodingError) {
    var budget = budget
    try append(message, messages[index], &json, limit: json.count + sizeMax, &budget)
  }

  /// The message as JSON.
  package func json(
    _ message: [UInt8], of index: Int, budget: DecodingBudget = .default
  ) throws(DecodingError) -> [UInt8] {
    var json: [UInt8] = []
    json.reserveCapacity(message.count * 2)
    try append(message.span.bytes, of: index, to: &json, budget: budget)
    return json
  }

  private func append(
    _ message: RawSpan, _ plan: MessagePlan, _ json: inout [UInt8], limit: Int, _ budget: inout DecodingBudget
  ) throws(DecodingError) {
    guard json.count <= limit else { throw DecodingError("the message is too large for JSON", at: 0) }
    var reader = try MessageReader(message, budget: budget)
    json.append(UInt8(ascii: "{"))
    let start = json.count
    for field in plan.fields {
      do throws(DecodingError) {
        try append(field, plan, &reader, &json, start: start, limit: limit)
      } catch {
        throw error.inside(String(decoding: plan.keys[field.name], as: UTF8.self))
      }
    }
    json.append(UInt8(ascii: "}"))
    budget.elements = reader.budget.elements
  }

  private func append(
    _ field: FieldPlan, _ plan: MessagePlan, _ reader: inout MessageReader, _ json: inout [UInt8],
    start: Int, limit: Int
  ) throws(DecodingError) {
    let isFirst = json.count == start
    if field.cardinality == .list {
      plan.appendKey(of: field, isFirst: isFirst, to: &json)
      try appendList(field, &reader, &json, limit: limit)
    } else if field.type.fixedSize != nil {
      let isPresent = try reader.isPresent(field.number, at: field.slot, size: field.slotSize)
      guard isPresent || field.cardinality == .one else { return }
      plan.appendKey(of: field, isFirst: isFirst, to: &json)
      if isPresent {
        try append(field.type, reader.bytes, at: field.slot, &json)
      } else {
        try appendZero(field.type, &json)
      }
    } else {
      let content = try reader.content(field.number, at: field.slot)
      guard content != nil || field.cardinality == .one else { return }
      plan.appendKey(of: field, isFirst: isFirst, to: &json)
      if let content {
        try append(field.type, content: content, &reader, &json, limit: limit)
      } else if case .message(let index) = field.type {
        let absent = [UInt8](repeating: 0, count: 8)
        try append(absent.span.bytes, messages[index], &json, limit: limit, &reader.budget)
      } else {
        json.append(span: [UInt8(ascii: "\""), UInt8(ascii: "\"")].span)
      }
    }
  }

  private func appendList(
    _ field: FieldPlan, _ reader: inout MessageReader, _ json: inout [UInt8], limit: Int
  ) throws(DecodingError) {
    json.append(UInt8(ascii: "["))
    if let size = field.type.fixedSize {
      if let list = try reader.list(field.number, at: field.slot, elementSize: size) {
        for index in 0..<list.count {
          if index > 0 { json.append(UInt8(ascii: ",")) }
          try append(field.type, reader.bytes, at: list.start + index * size, &json)
        }
      }
    } else if var list = try reader.listOfContents(field.number, at: field.slot) {
      while let content = try reader.next(&list) {
        if list.index > 1 { json.append(UInt8(ascii: ",")) }
        do throws(DecodingError) {
          try append(field.type, content: content, &reader, &json, limit: limit)
        } catch {
          throw error.inside("[\(list.index - 1)]")
        }
      }
    }
    json.append(UInt8(ascii: "]"))
  }

  /// Appends a value that has content.
  private func append(
    _ type: FieldType, content: Range<Int>, _ reader: inout MessageReader, _ json: inout [UInt8], limit: Int
  ) throws(DecodingError) {
    let bytes = reader.bytes.extracting(content)
    do throws(DecodingError) {
      switch type {
      case .message(let index): try append(bytes, messages[index], &json, limit: limit, &reader.budget)
      case .bytes:
        json.append(UInt8(ascii: "\""))
        Base64.standard.append(Span(_bytes: bytes), to: &json)
        json.append(UInt8(ascii: "\""))
      default: try appendString(Span(_bytes: bytes), to: &json)
      }
    } catch {
      throw error.inside(startingAt: content.lowerBound)
    }
  }

  /// Appends a value that has none.
  private func append(
    _ type: FieldType, _ bytes: RawSpan, at offset: Int, _ json: inout [UInt8]
  ) throws(DecodingError) {
    switch type {
    case .bool:
      guard let value = Bool.load(bytes, at: offset) else { throw DecodingError("a bool is 0 or 1", at: offset) }
      json.append(span: (value ? JSONTranslator.trueLiteral : JSONTranslator.falseLiteral).span)
    case .int32: appendDecimal(Int64(Int32.load(bytes, at: offset) ?? 0), to: &json)
    case .uint32: appendDecimal(UInt64(UInt32.load(bytes, at: offset) ?? 0), to: &json)
    case .int64: appendDecimal(Int64.load(bytes, at: offset) ?? 0, to: &json)
    case .uint64: appendDecimal(UInt64.load(bytes, at: offset) ?? 0, to: &json)
    case .float64:
      let value = Double.load(bytes, at: offset) ?? 0
      guard value.isFinite else { throw DecodingError("the number is not finite; JSON has no such", at: offset) }
      json.append(contentsOf: value.description.utf8)
    case .uuid, .timestamp, .enumeration:
      json.append(UInt8(ascii: "\""))
      if type == .uuid {
        UUID.load(bytes, at: offset)?.appendText(to: &json)
      } else if case .enumeration(let index) = type {
        guard enums[index].appendName(of: UInt16.load(bytes, at: offset) ?? 0, to: &json) else {
          throw DecodingError("the number is none of \(schemas.enums[index].fullName)", at: offset)
        }
      } else {
        Timestamp.load(bytes, at: offset)?.appendText(to: &json)
      }
      json.append(UInt8(ascii: "\""))
    case .string, .bytes, .message: preconditionFailure("the type has no fixed size")
    }
  }

  /// Appends what an absent field reads as.
  private func appendZero(_ type: FieldType, _ json: inout [UInt8]) throws(DecodingError) {
    var bytes = [UInt8](repeating: 0, count: 16)
    if case .enumeration(let index) = type {
      let first = enums[index].numbers[0]
      (bytes[0], bytes[1]) = (UInt8(truncatingIfNeeded: first), UInt8(truncatingIfNeeded: first >> 8))
    }
    try append(type, bytes.span.bytes, at: 0, &json)
  }

  private static let trueLiteral = Array("true".utf8)
  private static let falseLiteral = Array("false".utf8)
}
