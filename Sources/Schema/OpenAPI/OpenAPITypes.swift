internal import JSON
internal import Wire

/// The messages and enums that operations speak of, as schemas of JSON Schema 2020-12.
///
/// They are called by their names without the packages, or with them where two have the same.
struct OpenAPITypes {
  /// A message or an enum, and the schemas that it is part of.
  private struct Entry {
    let type: FieldType
    let schemas: SchemaSet
    /// Whether requests carry it: there a list may be left out, an absent field may be null, and nothing may be unknown.
    var isOfRequests: Bool
  }

  private var entries: [String: Entry] = [:]
  /// The full names in the order in which they were met.
  private var order: [String] = []
  private var namesTaken: [String: Int] = [:]

  init(_ operations: [APIOperation]) {
    for operation in operations {
      if operation.hasWholeBody, operation.binding.method.hasBody {
        add(.message(operation.method.request), of: operation.schemas, isOfRequests: true)
      } else {
        for field in operation.request.fields { add(field.type, of: operation.schemas, isOfRequests: true) }
      }
      add(.message(operation.method.response), of: operation.schemas, isOfRequests: false)
    }
    for name in order { namesTaken[Self.shortName(name), default: 0] += 1 }
  }

  private mutating func add(_ type: FieldType, of schemas: SchemaSet, isOfRequests: Bool) {
    guard let name = Self.fullName(of: type, in: schemas) else { return }
    if let known = entries[name], known.isOfRequests || !isOfRequests { return }
    if entries.updateValue(Entry(type: type, schemas: schemas, isOfRequests: isOfRequests), forKey: name) == nil {
      order.append(name)
    }
    guard case .message(let index) = type else { return }
    for field in schemas.messages[index].fields { add(field.type, of: schemas, isOfRequests: isOfRequests) }
  }

  private static func fullName(of type: FieldType, in schemas: SchemaSet) -> String? {
    switch type {
    case .message(let index): schemas.messages[index].fullName
    case .enumeration(let index): schemas.enums[index].fullName
    default: nil
    }
  }

  private static func shortName(_ fullName: String) -> String {
    fullName.lastIndex(of: ".").map { String(fullName[fullName.index(after: $0)...]) } ?? fullName
  }

  private func name(_ fullName: String) -> String {
    let short = Self.shortName(fullName)
    return namesTaken[short] == 1 && short != Self.problem ? short : fullName
  }

  /// What the schema of errors is called, which is no message.
  static let problem = "Problem"

  // MARK: Schemas

  /// Every type by its name.
  var components: [JSONValue.Member] {
    order.compactMap { fullName in
      guard let entry = entries[fullName] else { return nil }
      return JSONValue.Member(name(fullName), schema(of: entry))
    }
  }

  private func schema(of entry: Entry) -> JSONValue {
    switch entry.type {
    case .message(let index):
      let message = entry.schemas.messages[index]
      let fields = message.fields.map { ($0.name, $0) }
      return object(
        fields, docs: message.docs, example: Self.example(of: index, in: entry.schemas), in: entry.schemas,
        isOfRequests: entry.isOfRequests)
    case .enumeration(let index): return schema(of: entry.schemas.enums[index])
    default: return [:]
    }
  }

  /// An example of a message; nil when it would be too long.
  static func example(of message: Int, in schemas: SchemaSet) -> JSONValue? {
    JSONTemplate.example(of: message, in: schemas, bytesMax: exampleBytesMax)
      .flatMap { try? JSONValue(parsing: $0.span) }
  }

  /// Longer examples help nobody.
  private static let exampleBytesMax = 16_384

  private func schema(of type: EnumDescriptor) -> JSONValue {
    let cases = type.cases.map { "- `\($0.name)`: \($0.docs)" }.joined(separator: "\n")
    return [
      "type": "string", "enum": .array(type.cases.map { .string($0.name) }),
      "description": .string("\(type.docs)\n\n\(cases)"),
    ]
  }

  /// An object with these fields.
  func object(
    _ fields: [(name: String, field: FieldDescriptor)], docs: String, example: JSONValue?, in schemas: SchemaSet,
    isOfRequests: Bool
  ) -> JSONValue {
    let properties = fields.map { name, field in
      JSONValue.Member(name, property(field, in: schemas, isOfRequests: isOfRequests))
    }
    let required = fields.filter { name, field in
      field.cardinality == .one || field.cardinality == .list && !isOfRequests
    }
    var members: [JSONValue.Member] = [.init("type", "object")]
    if !docs.isEmpty { members.append(.init("description", .string(docs))) }
    if !properties.isEmpty { members.append(.init("properties", .object(properties))) }
    if !required.isEmpty { members.append(.init("required", .array(required.map { .string($0.name) }))) }
    if isOfRequests { members.append(.init("additionalProperties", false)) }
    if let example, !fields.isEmpty { members.append(.init("examples", [example])) }
    return .object(members)
  }

  private func property(_ field: FieldDescriptor, in schemas: SchemaSet, isOfRequests: Bool) -> JSONValue {
    let schema = schema(of: field, in: schemas)
    let docs: [JSONValue.Member] = field.docs.isEmpty ? [] : [.init("description", .string(field.docs))]
    guard isOfRequests, field.cardinality == .optional else { return schema.merging(docs) }
    guard let type = schema["type"] else {
      return JSONValue.object([.init("anyOf", [schema, ["type": "null"]])]).merging(docs)
    }
    return schema.merging([.init("type", [type, "null"])] + docs)
  }

  /// The value of a field, without its docs.
  func schema(of field: FieldDescriptor, in schemas: SchemaSet, isText: Bool = false) -> JSONValue {
    guard field.cardinality == .list else {
      return value(of: field.type, field.marks, in: schemas, isText: isText)
    }
    let items = value(of: field.type, FieldMarks(), in: schemas, isText: isText)
    return JSONValue.object([.init("type", "array"), .init("items", items)])
      .merging(Self.bounds("minItems", "maxItems", field.marks.length))
  }

  private func value(of type: FieldType, _ marks: FieldMarks, in schemas: SchemaSet, isText: Bool) -> JSONValue {
    switch type {
    case .bool: ["type": "boolean"]
    case .int32: Self.integer("int32", Int32.min, Int32.max, marks.range)
    case .int64: Self.integer("int64", Int64.min, Int64.max, marks.range)
    case .uint32: Self.integer("uint32", UInt32.min, UInt32.max, marks.range)
    case .uint64: Self.integer("uint64", UInt64.min, UInt64.max, marks.range)
    case .float64:
      JSONValue.object([.init("type", "number"), .init("format", "double")])
        .merging(Self.bounds("minimum", "maximum", marks.range))
    case .string: Self.text(marks)
    case .bytes: Self.bytes(marks.length, isText: isText)
    case .uuid: ["type": "string", "format": "uuid"]
    case .timestamp: ["type": "string", "format": "date-time"]
    case .enumeration, .message: reference(to: type, in: schemas)
    }
  }

  /// What stands for a message or an enum.
  func reference(to type: FieldType, in schemas: SchemaSet) -> JSONValue {
    ["$ref": .string("#/components/schemas/\(name(Self.fullName(of: type, in: schemas) ?? ""))")]
  }

  private static func integer(
    _ format: String, _ least: some FixedWidthInteger, _ most: some FixedWidthInteger, _ range: ClosedRange<Int64>?
  ) -> JSONValue {
    [
      "type": "integer", "format": .string(format),
      "minimum": range.map { .integer($0.lowerBound) } ?? .integer(Int64(least)),
      "maximum": range.map { .integer($0.upperBound) } ?? Int64(exactly: most).map { .integer($0) }
        ?? .unsigned(UInt64(most)),
    ]
  }

  private static func text(_ marks: FieldMarks) -> JSONValue {
    var members = [JSONValue.Member("type", "string")] + bounds("minLength", "maxLength", marks.length)
    if let pattern = marks.pattern { members.append(.init("pattern", .string(pattern.regularExpression))) }
    return .object(members)
  }

  /// Bytes are told of by the length of their text: 4 characters for each 3 bytes that are begun.
  private static func bytes(_ length: ClosedRange<Int>?, isText: Bool) -> JSONValue {
    let characters = length.map { range in
      let counts = [range.lowerBound, range.upperBound].map { count in
        let (whole, rest) = count.quotientAndRemainder(dividingBy: 3)
        return whole > .max / 8 ? Int.max : whole * 4 + (rest == 0 ? 0 : isText ? rest + 1 : 4)
      }
      return counts[0]...counts[1]
    }
    return JSONValue.object([
      .init("type", "string"), .init("contentEncoding", isText ? "base64url" : "base64"),
    ]).merging(bounds("minLength", "maxLength", characters))
  }

  /// Two bounds; a lower one of zero of what is counted says nothing.
  private static func bounds(
    _ least: String, _ most: String, _ range: ClosedRange<some FixedWidthInteger>?
  ) -> [JSONValue.Member] {
    guard let range else { return [] }
    let isCount = least != "minimum"
    let lower = isCount && range.lowerBound == 0 ? [] : [JSONValue.Member(least, .integer(Int64(range.lowerBound)))]
    return lower + [JSONValue.Member(most, .integer(Int64(range.upperBound)))]
  }
}
