/// A Swift value that arrays are made of.
package protocol PostgresElement: Sendable {
  /// The type of an array of these.
  static var arrayType: PostgresType { get }

  /// Whether a column of `type` can be decoded as an array of these.
  static func acceptsArray(_ type: PostgresType) -> Bool

  /// Appends the binary form of the whole array.
  static func encodeArray(_ array: [Self], into writer: inout ParameterWriter)

  /// The array whose binary form fills `bytes`.
  static func decodeArray(_ bytes: RawSpan) throws(PostgresError) -> [Self]
}

extension Array: PostgresCodable where Element: PostgresElement {
  package static var postgresType: PostgresType { Element.arrayType }
  package static func accepts(_ type: PostgresType) -> Bool { Element.acceptsArray(type) }
  package func encode(into writer: inout ParameterWriter) { Element.encodeArray(self, into: &writer) }
  package static func decode(_ bytes: RawSpan) throws(PostgresError) -> [Element] { try Element.decodeArray(bytes) }
}

/// Arrays of one dimension, as `array_send` and `array_recv` have them: dimensions, whether there are NULLs, the
/// elements' type; for each dimension its size and lower bound; then each element behind its length, -1 for NULL.
extension PostgresElement where Self: PostgresCodable {
  package static func acceptsArray(_ type: PostgresType) -> Bool { type == arrayType }

  package static func encodeArray(_ array: [Self], into writer: inout ParameterWriter) {
    writer.append(array.isEmpty ? 0 as Int32 : 1)
    writer.append(array.contains(where: \.isNull) ? 1 as Int32 : 0)
    writer.append(postgresType.rawValue)
    if array.isEmpty { return }
    writer.append(Int32(array.count))
    writer.append(1 as Int32)
    for element in array { writer.appendWithLength(element) }
  }

  package static func decodeArray(_ bytes: RawSpan) throws(PostgresError) -> [Self] {
    guard bytes.byteCount >= 12, accepts(PostgresType(rawValue: bytes.bigEndian(at: 8))) else {
      throw [Self].malformed(bytes)
    }
    let dimensions: Int32 = bytes.bigEndian(at: 0)
    if dimensions == 0 && bytes.byteCount == 12 { return [] }
    guard dimensions == 1, bytes.byteCount >= 20 else { throw [Self].malformed(bytes) }
    let count = Int(bytes.bigEndian(at: 12, as: Int32.self))
    guard count >= 0, count <= (bytes.byteCount - 20) / 4 else { throw [Self].malformed(bytes) }

    var array: [Self] = []
    array.reserveCapacity(count)
    var offset = 20
    for _ in 0..<count {
      guard bytes.byteCount - offset >= 4 else { throw [Self].malformed(bytes) }
      let length = Int(bytes.bigEndian(at: offset, as: Int32.self))
      offset += 4
      if length == -1 {
        array.append(try decodeNull())
        continue
      }
      guard length >= 0, length <= bytes.byteCount - offset else { throw [Self].malformed(bytes) }
      array.append(try decode(bytes.extracting(offset..<offset + length)))
      offset += length
    }
    guard offset == bytes.byteCount else { throw [Self].malformed(bytes) }
    return array
  }
}

extension PostgresElement where Self == String {
  package static func acceptsArray(_ type: PostgresType) -> Bool { type == .textArray || type == .varcharArray }
}

extension Optional: PostgresElement where Wrapped: PostgresCodable & PostgresElement {
  package static var arrayType: PostgresType { Wrapped.arrayType }
  package static func acceptsArray(_ type: PostgresType) -> Bool { Wrapped.acceptsArray(type) }
}

/// An array of bytes is one `bytea`, not an array of the server's.
extension UInt8: PostgresElement {
  package static var arrayType: PostgresType { .bytea }
  package static func acceptsArray(_ type: PostgresType) -> Bool { type == .bytea }

  package static func encodeArray(_ array: [UInt8], into writer: inout ParameterWriter) { writer.append(array) }

  package static func decodeArray(_ bytes: RawSpan) throws(PostgresError) -> [UInt8] {
    bytes.withUnsafeBytes { [UInt8]($0) }
  }
}

extension Array: PostgresElement where Element == UInt8 {
  package static var arrayType: PostgresType { .byteaArray }
}
