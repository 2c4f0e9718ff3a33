package import Wire

/// Translates between the messages of a set of schemas and JSON, in both directions.
///
/// The mapping: a message is an object with the fields' names; numbers of all widths are JSON numbers; an enum is its
/// case's name, a UUID and a timestamp (RFC 3339) are text, bytes are base64 (RFC 4648 section 4) in text. An absent
/// optional field is left out.
package final class JSONTranslator: Sendable {
  /// The schemas.
  package let schemas: SchemaSet
  let messages: [MessagePlan]
  let enums: [EnumPlan]

  /// A translator of these schemas. Make it once and keep it.
  package init(_ schemas: SchemaSet) {
    self.schemas = schemas
    messages = schemas.messages.map(MessagePlan.init)
    enums = schemas.enums.map(EnumPlan.init)
  }

  /// A builder of a message, by its index in ``SchemaSet/messages``, whose fields the caller calls by these names.
  package func builder(
    of message: Int, names: FieldNames? = nil, budget: DecodingBudget = .default
  ) -> MessageBuilder {
    MessageBuilder(message, self, names: names, budget: budget)
  }
}

/// What translating a message needs of its descriptor, flat, so that nothing is counted or compared needlessly.
final class MessagePlan: Sendable {
  /// In the order of their numbers.
  let fields: [FieldPlan]
  /// Those with a content, in the order of their numbers.
  let contentFields: [FieldPlan]
  /// The bits of all fields.
  let allFields: UInt64
  let fixedLength: Int
  /// The keys of all fields as they are written: `,"name":`.
  let keys: [UInt8]

  init(_ message: MessageDescriptor) {
    var keys: [UInt8] = []
    fields = message.fields.map { field in
      let start = keys.count
      keys += Array(",\"\(field.name)\":".utf8)
      return FieldPlan(field, key: start..<keys.count)
    }
    self.keys = keys
    contentFields = fields.filter(\.hasContent)
    allFields = fields.reduce(0) { $0 | $1.bit }
    fixedLength = message.fixedLength
  }

  /// The index of the field of this name, most likely `next`.
  func fieldIndex(of name: Span<UInt8>, next: Int) -> Int? {
    let (fields, keys) = (fields, keys)
    if next < fields.count, isEqual(name, keys.span.extracting(fields[next].name)) { return next }
    return fields.firstIndex { isEqual(name, keys.span.extracting($0.name)) }
  }

  /// Appends a field's key, without its comma where it is the first.
  func appendKey(of field: FieldPlan, isFirst: Bool, to json: inout [UInt8]) {
    let keys = keys
    json.append(span: keys.span.extracting(field.keyStart + (isFirst ? 1 : 0)..<field.keyEnd))
  }
}

/// What translating a field needs of its descriptor.
struct FieldPlan: Sendable, BitwiseCopyable {
  let number: Int
  let slot: Int
  let slotSize: Int
  let type: FieldType
  let cardinality: Cardinality
  let hasMarks: Bool
  /// Where the key is in ``MessagePlan/keys``.
  let keyStart: Int
  let keyEnd: Int

  init(_ field: FieldDescriptor, key: Range<Int>) {
    number = field.number
    slot = field.slot
    slotSize = field.slotSize
    type = field.type
    cardinality = field.cardinality
    hasMarks = !field.marks.isEmpty
    keyStart = key.lowerBound
    keyEnd = key.upperBound
  }

  /// Where the name is in ``MessagePlan/keys``: inside `,"` and `":`.
  var name: Range<Int> { keyStart + 2..<keyEnd - 2 }
  /// Whether the slot holds where the value is.
  var hasContent: Bool { cardinality == .list || type.fixedSize == nil }
  /// The bit that stands for the field in a set of fields.
  var bit: UInt64 { 1 << UInt64(number - 1) }
}

/// What translating an enum needs of its descriptor.
struct EnumPlan: Sendable {
  /// In the order of the declaration.
  let numbers: [UInt16]
  /// Where the names are in ``text``.
  private let names: [Range<Int>]
  private let text: [UInt8]

  init(_ type: EnumDescriptor) {
    var (names, text): ([Range<Int>], [UInt8]) = ([], [])
    for enumCase in type.cases {
      names.append(text.count..<text.count + enumCase.name.utf8.count)
      text += Array(enumCase.name.utf8)
    }
    (self.names, self.text) = (names, text)
    numbers = type.cases.map(\.number)
  }

  /// The number of the case of this name.
  func number(of name: Span<UInt8>) -> UInt16? {
    names.firstIndex { isEqual(name, text.span.extracting($0)) }.map { numbers[$0] }
  }

  /// Appends the name of the case of this number; false when there is none.
  func appendName(of number: UInt16, to json: inout [UInt8]) -> Bool {
    guard let index = numbers.firstIndex(of: number) else { return false }
    json.append(span: text.span.extracting(names[index]))
    return true
  }
}

private func isEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  for index in left.indices where left[index] != right[index] { return false }
  return true
}

extension [UInt8] {
  /// Appends the bytes of a span.
  mutating func append(span: Span<UInt8>) {
    span.withUnsafeBufferPointer { append(contentsOf: $0) }
  }
}
