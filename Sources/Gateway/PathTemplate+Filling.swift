internal import HTTP
internal import Schema
internal import Wire

extension PathTemplate {
  /// The path with the fields of a message in the place of its variables.
  ///
  /// - Throws: ``DecodingError`` when the bytes are not a message of the type with this index.
  func filled(from message: [UInt8], of index: Int, _ schemas: SchemaSet) throws(DecodingError) -> String {
    var path = ""
    for segment in segments {
      path += "/"
      switch segment {
      case .literal(let text): path += text
      case .variable(let name):
        guard let field = schemas.messages[index].field(named: name) else { continue }
        path += PercentEncoding.encodeSegment(try text(of: field, in: message.span.bytes, schemas))
      }
    }
    return path
  }

  /// The value of a field as a text; the schema's check has seen to it that it has one.
  private func text(
    of field: FieldDescriptor, in message: RawSpan, _ schemas: SchemaSet
  ) throws(DecodingError) -> String {
    var reader = try MessageReader(message, budget: .default)
    if field.type == .string || field.type == .bytes {
      guard let content = try reader.content(field.number, at: field.slot) else { return "" }
      if field.type == .bytes {
        return message.extracting(content).withUnsafeBytes { Base64.url.encode(Array($0)) }
      }
      return message.extracting(content).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
    guard try reader.isPresent(field.number, at: field.slot, size: field.slotSize) else { return "" }
    return switch field.type {
    case .bool: Self.text(Bool.load(message, at: field.slot))
    case .int32: Self.text(Int32.load(message, at: field.slot))
    case .int64: Self.text(Int64.load(message, at: field.slot))
    case .uint32: Self.text(UInt32.load(message, at: field.slot))
    case .uint64: Self.text(UInt64.load(message, at: field.slot))
    case .float64: Self.text(Double.load(message, at: field.slot))
    case .uuid: Self.text(UUID.load(message, at: field.slot))
    case .timestamp: Self.text(Timestamp.load(message, at: field.slot))
    case .enumeration(let index):
      UInt16.load(message, at: field.slot).flatMap { schemas.enums[index].enumCase(numbered: $0)?.name } ?? ""
    case .string, .bytes, .message: ""
    }
  }

  private static func text(_ value: (some CustomStringConvertible)?) -> String { value?.description ?? "" }
}
