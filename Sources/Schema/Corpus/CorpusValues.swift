import Wire

/// Makes up a message of a corpus as JSON.
struct CorpusValues {
  /// The longest text or bytes, unless a mark wants more: a corpus is to be read and kept.
  private static let lengthMax = 1024

  let schemas: SchemaSet
  let values: CorpusCase
  private(set) var json: [UInt8] = []
  /// The messages around the one being written, so that a tree ends.
  private var around: [Int] = []

  init(_ schemas: SchemaSet, _ values: CorpusCase) {
    self.schemas = schemas
    self.values = values
  }

  mutating func append(_ message: Int) {
    around.append(message)
    defer { around.removeLast() }
    json.append(UInt8(ascii: "{"))
    let fields = schemas.messages[message].fields.filter { !isAbsent($0) }
    for (index, field) in fields.enumerated() {
      if index > 0 { json.append(UInt8(ascii: ",")) }
      appendQuoted(field.name.utf8Span.span, to: &json)
      json.append(UInt8(ascii: ":"))
      if field.cardinality == .list { appendList(field) } else { append(field, number: 0) }
    }
    json.append(UInt8(ascii: "}"))
  }

  private func isAbsent(_ field: FieldDescriptor) -> Bool {
    guard field.cardinality == .optional else { return false }
    return values == .minimal || values == .withoutOptionals || isEndless(field.type)
  }

  /// Whether the type is a message that we are inside of, or messages are nested deep enough.
  private func isEndless(_ type: FieldType) -> Bool {
    guard case .message(let index) = type else { return false }
    return around.contains(index) || around.count >= 4
  }

  private mutating func appendList(_ field: FieldDescriptor) {
    let allowed = field.marks.length ?? 0...3
    let wanted =
      switch values {
      case .minimal, .least: 0
      case .full, .withoutOptionals: 2
      // The outermost only: lists in lists in lists would be more than a reader takes.
      case .greatest: around.count > 1 ? 3 : 16
      }
    let count = isEndless(field.type) ? allowed.lowerBound : min(max(wanted, allowed.lowerBound), allowed.upperBound)
    json.append(UInt8(ascii: "["))
    for number in 0..<count {
      if number > 0 { json.append(UInt8(ascii: ",")) }
      append(field, number: number)
    }
    json.append(UInt8(ascii: "]"))
  }

  /// Appends a value; those of a list differ by their `number`.
  private mutating func append(_ field: FieldDescriptor, number: Int) {
    switch field.type {
    case .bool: json += Array((pick("false", "true", "false", "true")).utf8)
    case .int32: append(field, Int64(Int32.min)...Int64(Int32.max), number)
    case .uint32: append(field, 0...Int64(UInt32.max), number)
    case .int64: append(field, Int64.min...Int64.max, number)
    case .uint64: appendUnsigned(field, number)
    case .float64: appendFloat(field)
    case .string: appendQuoted(text(of: field).utf8Span.span, to: &json)
    case .bytes: appendBytes(of: field)
    case .uuid:
      let some = "01234567-89ab-cdef-0123-456789abcdef"
      append(text: pick("\(UUID.zero)", some, "\(UUID.zero)", "ffffffff-ffff-ffff-ffff-ffffffffffff"))
    case .timestamp:
      let (first, last) = (Timestamp.writable.lowerBound, Timestamp.writable.upperBound)
      append(text: pick("\(Timestamp.zero)", "2026-11-20T14:50:00.123456Z", "\(first)", "\(last)"))
    case .enumeration(let index):
      let cases = schemas.enums[index].cases
      append(
        text: pick(cases[0].name, cases[(1 + number) % cases.count].name, cases[0].name, cases[cases.count - 1].name))
    case .message(let index): append(index)
    }
  }

  private func pick<Value>(_ minimal: Value, _ full: Value, _ least: Value, _ greatest: Value) -> Value {
    switch values {
    case .minimal: minimal
    case .full, .withoutOptionals: full
    case .least: least
    case .greatest: greatest
    }
  }

  private mutating func append(text: String) { appendQuoted(text.utf8Span.span, to: &json) }

  // MARK: Numbers

  private mutating func append(_ field: FieldDescriptor, _ all: ClosedRange<Int64>, _ number: Int) {
    let range = (field.cardinality == .list ? nil : field.marks.range) ?? all
    let value = pick(0, Int64(100 * field.number + number + 1), range.lowerBound, range.upperBound)
    appendDecimal(min(max(value, range.lowerBound), range.upperBound), to: &json)
  }

  private mutating func appendUnsigned(_ field: FieldDescriptor, _ number: Int) {
    guard values == .greatest, field.marks.range == nil else { return append(field, 0...Int64.max, number) }
    appendDecimal(UInt64.max, to: &json)
  }

  private mutating func appendFloat(_ field: FieldDescriptor) {
    let range = field.marks.range.map { Double($0.lowerBound)...Double($0.upperBound) }
    let all = range ?? -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    let value = pick(0, 0.1, all.lowerBound, all.upperBound)
    json += Array("\(min(max(value, all.lowerBound), all.upperBound))".utf8)
  }

  // MARK: Texts and bytes

  /// Texts whose marks are met, if the pattern's last character may be repeated until they are.
  private func text(of field: FieldDescriptor) -> String {
    let isBounded = field.cardinality != .list
    let allowed = (isBounded ? field.marks.length : nil) ?? 0...24
    if isBounded, let pattern = field.marks.pattern {
      let shortest = pattern.example
      let longer = (0...64).lazy.map { shortest + String(repeating: shortest.last ?? "a", count: $0) }
      return longer.first { pattern.matches($0) && allowed.contains($0.count) } ?? shortest
    }
    let pieces = pick(["a"], ["п", "ö", "\"", "\\", "\u{1}", "😀", "z"], ["a"], ["ж"])
    let count = pick(0, 7, 0, CorpusValues.lengthMax)
    return (0..<min(max(count, allowed.lowerBound), allowed.upperBound)).map { pieces[$0 % pieces.count] }.joined()
  }

  private mutating func appendBytes(of field: FieldDescriptor) {
    let allowed = (field.cardinality == .list ? nil : field.marks.length) ?? 0...24
    let count = min(max(pick(0, 3, 0, CorpusValues.lengthMax), allowed.lowerBound), allowed.upperBound)
    let bytes = (0..<count).map { index in values == .greatest ? 0xFF : UInt8(truncatingIfNeeded: index * 127) }
    json += Array("\"\(Base64.standard.encode(bytes))\"".utf8)
  }
}
