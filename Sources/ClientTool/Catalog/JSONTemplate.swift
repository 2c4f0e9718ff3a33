internal import JetStream
internal import Schema
internal import Wire

/// A JSON document to be filled in: every field of a message, with a value that its marks allow where that is easy.
struct JSONTemplate {
  /// Messages inside messages are written out so deep; a schema may be recursive.
  private static let depthMax = 4

  let schemas: SchemaSet

  /// What a message must have, and nothing else.
  func required(of message: MessageDescriptor) -> JSONValue {
    let fields = message.fields.filter { $0.cardinality == .one }
    return .object(fields.map { JSONValue.Member($0.name, value(of: $0, depth: 0)) })
  }

  /// The template of a message.
  func value(of message: MessageDescriptor, depth: Int = 0) -> JSONValue {
    .object(message.fields.map { JSONValue.Member($0.name, value(of: $0, depth: depth)) })
  }

  private func value(of field: FieldDescriptor, depth: Int) -> JSONValue {
    let element = value(of: field.type, field.marks, depth: depth)
    return field.cardinality == .list ? [element] : element
  }

  private func value(of type: FieldType, _ marks: FieldMarks, depth: Int) -> JSONValue {
    switch type {
    case .bool: return false
    case .int32, .int64, .uint32, .uint64: return .integer(marks.range?.lowerBound ?? 0)
    case .float64: return .number(Double(marks.range?.lowerBound ?? 0))
    case .string: return .string(marks.pattern?.text ?? "")
    case .bytes: return ""
    case .uuid: return "00000000-0000-0000-0000-000000000000"
    case .timestamp: return "2026-01-01T00:00:00Z"
    case .enumeration(let index): return .string(schemas.enums[index].cases.first?.name ?? "")
    case .message(let index):
      return depth < Self.depthMax ? value(of: schemas.messages[index], depth: depth + 1) : [:]
    }
  }
}
