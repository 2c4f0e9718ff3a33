import Wire

/// Makes up an example of a message as JSON, for somebody to start a request from.
package struct JSONTemplate {
  private let schemas: SchemaSet
  private var json: [UInt8] = []
  /// The messages around the one being written, so that a tree ends.
  private var around: [Int] = []
  /// What is longer is not gone on with: messages in messages may multiply without a bound.
  private let bytesMax: Int
  private let uuid: String

  private init(_ schemas: SchemaSet, bytesMax: Int, uuid: String) {
    self.schemas = schemas
    self.bytesMax = bytesMax
    self.uuid = uuid
  }

  /// An example of a message, by its index in ``SchemaSet/messages``: every field, also optional ones, with a value that
  /// its type allows and, as far as an example can, its marks.
  package static func example(of message: Int, in schemas: SchemaSet) -> [UInt8] {
    var template = JSONTemplate(schemas, bytesMax: .max, uuid: "\(UUID.zero)")
    template.append(message)
    return template.json
  }

  /// The same, unless it is longer than that; with a UUID that may name something, so that it can be sent as it is.
  static func example(of message: Int, in schemas: SchemaSet, bytesMax: Int) -> [UInt8]? {
    var template = JSONTemplate(schemas, bytesMax: bytesMax, uuid: "01890a5d-ac96-774b-bcce-b302099a8057")
    template.append(message)
    return template.json.count <= bytesMax ? template.json : nil
  }

  private mutating func append(_ message: Int) {
    around.append(message)
    defer { around.removeLast() }
    json.append(UInt8(ascii: "{"))
    var isFirst = true
    for field in schemas.messages[message].fields where !isEndless(field) && json.count <= bytesMax {
      if !isFirst { json.append(UInt8(ascii: ",")) }
      isFirst = false
      appendQuoted(field.name.utf8Span.span, to: &json)
      json.append(UInt8(ascii: ":"))
      let isList = field.cardinality == .list
      if isList { json.append(UInt8(ascii: "[")) }
      append(field)
      if isList { json.append(UInt8(ascii: "]")) }
    }
    json.append(UInt8(ascii: "}"))
  }

  /// Whether the field holds a message that we are inside of, or messages are nested too deep for an example.
  private func isEndless(_ field: FieldDescriptor) -> Bool {
    guard case .message(let index) = field.type else { return false }
    return around.contains(index) || (around.count >= 4 && field.cardinality != .one)
  }

  private mutating func append(_ field: FieldDescriptor) {
    switch field.type {
    case .bool: json += Array("false".utf8)
    case .int32, .int64, .uint32, .uint64, .float64:
      let range = field.marks.range ?? 0...100
      appendDecimal(min(max(1, range.lowerBound), range.upperBound), to: &json)
    case .string: append(text: text(of: field))
    case .bytes: append(text: "")
    case .uuid: append(text: uuid)
    case .timestamp: append(text: "2026-11-20T14:50:00Z")
    case .enumeration(let index): append(text: schemas.enums[index].cases[0].name)
    case .message(let index): append(index)
    }
  }

  /// A text that matches the pattern, or is long enough.
  private func text(of field: FieldDescriptor) -> String {
    if let pattern = field.marks.pattern { return pattern.example }
    return String(repeating: "a", count: min(field.marks.length?.lowerBound ?? 0, 64))
  }

  private mutating func append(text: String) { appendQuoted(text.utf8Span.span, to: &json) }
}
