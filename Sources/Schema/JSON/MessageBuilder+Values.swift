import Wire

extension MessageBuilder {
  /// Reads a value without content over the bytes at an offset.
  mutating func readFixed(
    _ reader: inout JSONReader, _ kind: JSONKind, _ type: FieldType, at offset: Int
  ) throws(JSONSyntaxError) {
    switch (kind, type) {
    case (.true, .bool):
      try reader.readLiteral("true")
      store(true, at: offset)
    case (.false, .bool): try reader.readLiteral("false")
    case (.number, .int32), (.number, .int64), (.number, .uint32), (.number, .uint64), (.number, .float64):
      let number = try reader.readNumber()
      storeNumber(reader.text.extracting(number.range), isInteger: number.isInteger, type, at: offset)
    case (.string, .uuid), (.string, .timestamp), (.string, .enumeration):
      let string = try reader.readString()
      if string.hasEscapes {
        storeText(reader.unescaped(string).span, type, at: offset)
      } else {
        storeText(reader.text.extracting(string.range), type, at: offset)
      }
    default: try refuse(kind, expectation(of: type), &reader)
    }
  }

  /// Reads a value with content at the end of the output.
  mutating func readContent(
    _ reader: inout JSONReader, _ kind: JSONKind, _ type: FieldType
  ) throws(JSONSyntaxError) {
    if case .message(let message) = type { return try readMessage(&reader, kind, message) }
    guard kind == .string else { return try refuse(kind, expectation(of: type), &reader) }
    let string = try reader.readString()
    try reserve(string.range.count, reader)
    if type == .string {
      reader.append(string, to: &output)
    } else if string.hasEscapes {
      storeBytes(reader.unescaped(string).span)
    } else {
      storeBytes(reader.text.extracting(string.range))
    }
  }

  /// Gives a field the value that a text writes.
  mutating func setText(_ text: Span<UInt8>, _ field: FieldPlan, _ index: Int, _ frame: inout Frame) {
    let (start, problems) = (output.count, violations.count)
    setValue(text, field.type, at: frame.start + field.slot)
    guard violations.count == problems else { return }
    place(field, contentStart: start, &frame)
    if field.hasMarks { checkMarks(of: field, index, contentStart: start, frame) }
  }

  /// Gives a list the elements that texts write, each one.
  mutating func setList(_ texts: [String], _ index: Int, _ frame: inout Frame) {
    let field = translator.messages[frame.message].fields[index]
    path.append(.field(message: frame.message, index: index))
    defer { path.removeLast() }
    let (start, problems) = (output.count, violations.count)
    guard texts.count <= budget.elements else { return report("the list has too many elements") }
    budget.elements -= texts.count
    let firstLength = elementLengths.count
    output.append(contentsOf: repeatElement(0, count: 4))
    for (number, text) in texts.enumerated() {
      path.append(.element(number))
      let elementStart = output.count
      output.append(contentsOf: repeatElement(0, count: field.type.fixedSize ?? 0))
      setValue(text.utf8Span.span, field.type, at: elementStart)
      if field.type.fixedSize == nil { elementLengths.append(UInt32(output.count - elementStart)) }
      path.removeLast()
    }
    endList(field.type, start, firstLength, texts.count)
    guard violations.count == problems else { return }
    place(field, contentStart: start, &frame)
    if field.hasMarks { checkMarks(of: field, index, contentStart: start, frame) }
  }

  /// Stores a value that a text writes: at the offset, or at the end of the output when it is a content.
  private mutating func setValue(_ text: Span<UInt8>, _ type: FieldType, at offset: Int) {
    switch type {
    case .message: report("an object cannot be given as a text")
    case .string: output.append(span: text)
    case .bytes: storeBytes(ofText: text)
    case .bool, .int32, .int64, .uint32, .uint64, .float64: setLiteral(text, type, at: offset)
    case .uuid, .timestamp, .enumeration: storeText(text, type, at: offset)
    }
  }

  /// Stores a number, `true` or `false` that a text writes as JSON would.
  private mutating func setLiteral(_ text: Span<UInt8>, _ type: FieldType, at offset: Int) {
    do throws(JSONSyntaxError) {
      var reader = try JSONReader(text)
      let kind = try reader.nextKind()
      // Space around the value is none of it.
      let isKind = type == .bool ? kind == .true || kind == .false : kind == .number
      guard isKind, reader.index == 0 else { return refuse(text, type) }
      var end = reader
      try end.skipValue()
      guard end.index == text.count else { return refuse(text, type) }
      try readFixed(&reader, kind, type, at: offset)
    } catch {
      refuse(text, type)
    }
  }

  // MARK: Texts and numbers

  private mutating func storeNumber(_ text: Span<UInt8>, isInteger: Bool, _ type: FieldType, at offset: Int) {
    if type == .float64 {
      let value = Double(String(text))
      guard let value, value.isFinite else {
        return report("must be a number that 64 bits can hold, not \(shown(text))")
      }
      return store(value, at: offset)
    }
    guard isInteger else { return report("expected an integer, found \(shown(text))") }
    switch type {
    case .int32: storeInteger(text, Int32.self, at: offset)
    case .uint32: storeInteger(text, UInt32.self, at: offset)
    case .int64: storeInteger(text, Int64.self, at: offset)
    default: storeInteger(text, UInt64.self, at: offset)
    }
  }

  private mutating func storeInteger<Integer: FixedWidthInteger & FixedSizeValue>(
    _ text: Span<UInt8>, _ type: Integer.Type, at offset: Int
  ) {
    var value: Integer = 0
    let isNegative = text[0] == UInt8(ascii: "-")
    for index in (isNegative ? 1 : 0)..<text.count {
      let digit = Integer(truncatingIfNeeded: text[index] &- UInt8(ascii: "0"))
      let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
      // Downwards when negative, so that the least number is reached too.
      let (next, overflowed) =
        isNegative ? shifted.subtractingReportingOverflow(digit) : shifted.addingReportingOverflow(digit)
      guard !overflow, !overflowed else {
        return report("must be \(Integer.min) to \(Integer.max), not \(shown(text))")
      }
      value = next
    }
    store(value, at: offset)
  }

  private mutating func storeText(_ text: Span<UInt8>, _ type: FieldType, at offset: Int) {
    if case .enumeration(let index) = type {
      guard let number = translator.enums[index].number(of: text) else { return refuseName(text, index) }
      store(number, at: offset)
    } else if type == .uuid {
      guard let uuid = UUID(utf8: text) else { return refuse(text, type) }
      store(uuid, at: offset)
    } else {
      guard let timestamp = Timestamp(utf8: text) else { return refuse(text, type) }
      store(timestamp, at: offset)
    }
  }

  private mutating func storeBytes(_ text: Span<UInt8>) {
    if !Base64.standard.appendBytes(of: text, to: &output) { refuse(text, .bytes) }
  }

  /// Paths and queries spell bytes without what they would have to escape; the form of JSON is taken too.
  private mutating func storeBytes(ofText text: Span<UInt8>) {
    let isStandard = text.indices.contains { "+/=".utf8.contains(text[$0]) }
    let form = isStandard ? Base64.standard : Base64.url
    if !form.appendBytes(of: text, to: &output) { refuse(text, .bytes) }
  }

  // MARK: Refusing

  private mutating func refuse(_ text: Span<UInt8>, _ type: FieldType) {
    report("expected \(expectation(of: type)), found '\(shown(text))'")
  }

  private mutating func refuseName(_ text: Span<UInt8>, _ index: Int) {
    let names = translator.schemas.enums[index].cases.map(\.name)
    let found = shown(text)
    report("expected \(expectation(of: .enumeration(index))), found '\(found)'" + suggestion(for: found, among: names))
  }

  /// What a value of a type looks like, in words that follow "expected".
  func expectation(of type: FieldType) -> String {
    switch type {
    case .bool: "true or false"
    case .int32, .int64, .uint32, .uint64: "an integer"
    case .float64: "a number"
    case .string: "a string"
    case .bytes: "bytes as a base64 string"
    case .uuid: "a UUID as a string"
    case .timestamp: "a time as a string such as '2026-11-20T14:50:00Z'"
    case .message: "an object"
    case .enumeration(let index): expectation(ofCases: translator.schemas.enums[index].cases.map(\.name))
    }
  }

  private func expectation(ofCases names: [String]) -> String {
    "one of " + names.prefix(16).joined(separator: ", ") + (names.count > 16 ? " and others" : "")
  }

  /// A text from the request, short enough to be shown.
  private func shown(_ text: Span<UInt8>) -> String {
    let string = String(text)
    let scalars = string.unicodeScalars
    return scalars.count <= 40 ? string : String(String.UnicodeScalarView(scalars.prefix(40))) + "…"
  }
}

extension String {
  /// The text that valid UTF-8 spells; anything else is repaired.
  init(_ text: Span<UInt8>) {
    self = text.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
  }
}
