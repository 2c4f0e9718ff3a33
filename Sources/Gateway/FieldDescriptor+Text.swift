internal import Schema
internal import Wire

extension FieldDescriptor {
  /// The value of a field that has one short value as a text; empty when it is absent.
  ///
  /// - Throws: ``DecodingError`` when the bytes are not a message with this field.
  func text(in message: RawSpan, _ schemas: SchemaSet) throws(DecodingError) -> String {
    var reader = try MessageReader(message, budget: .default)
    if type == .string || type == .bytes {
      guard let content = try reader.content(number, at: slot) else { return "" }
      if type == .bytes { return message.extracting(content).withUnsafeBytes { Base64.url.encode(Array($0)) } }
      return message.extracting(content).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
    guard try reader.isPresent(number, at: slot, size: slotSize) else { return "" }
    return switch type {
    case .bool: Self.text(Bool.load(message, at: slot))
    case .int32: Self.text(Int32.load(message, at: slot))
    case .int64: Self.text(Int64.load(message, at: slot))
    case .uint32: Self.text(UInt32.load(message, at: slot))
    case .uint64: Self.text(UInt64.load(message, at: slot))
    case .float64: Self.text(Double.load(message, at: slot))
    case .uuid: Self.text(UUID.load(message, at: slot))
    case .timestamp: Self.text(Timestamp.load(message, at: slot))
    case .enumeration(let index):
      UInt16.load(message, at: slot).flatMap { schemas.enums[index].enumCase(numbered: $0)?.name } ?? ""
    case .string, .bytes, .message: ""
    }
  }

  private static func text(_ value: (some CustomStringConvertible)?) -> String { value?.description ?? "" }
}
