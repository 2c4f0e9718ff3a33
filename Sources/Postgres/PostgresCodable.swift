/// The OID of a type, fixed in every server (PostgreSQL, `pg_type.dat`).
package struct PostgresType: RawRepresentable, Hashable, Sendable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let bool = PostgresType(rawValue: 16)
  package static let bytea = PostgresType(rawValue: 17)
  package static let name = PostgresType(rawValue: 19)
  package static let int8 = PostgresType(rawValue: 20)
  package static let int2 = PostgresType(rawValue: 21)
  package static let int4 = PostgresType(rawValue: 23)
  package static let text = PostgresType(rawValue: 25)
  package static let bpchar = PostgresType(rawValue: 1042)
  package static let varchar = PostgresType(rawValue: 1043)
  package static let timestamptz = PostgresType(rawValue: 1184)
  package static let uuid = PostgresType(rawValue: 2950)
  package static let boolArray = PostgresType(rawValue: 1000)
  package static let byteaArray = PostgresType(rawValue: 1001)
  package static let int2Array = PostgresType(rawValue: 1005)
  package static let int4Array = PostgresType(rawValue: 1007)
  package static let textArray = PostgresType(rawValue: 1009)
  package static let varcharArray = PostgresType(rawValue: 1015)
  package static let int8Array = PostgresType(rawValue: 1016)
  package static let timestamptzArray = PostgresType(rawValue: 1185)
  package static let uuidArray = PostgresType(rawValue: 2951)
}

/// A Swift value that is sent to and received from the server in binary.
package protocol PostgresCodable: Sendable {
  /// The type a parameter of this kind is declared with.
  static var postgresType: PostgresType { get }

  /// Whether a column of `type` can be decoded as this.
  static func accepts(_ type: PostgresType) -> Bool

  /// Whether this is NULL: then nothing is encoded.
  var isNull: Bool { get }

  /// Appends the binary form that the type's `recv` function takes.
  func encode(into writer: inout ParameterWriter)

  /// The value whose binary form fills `bytes`, as the type's `send` function makes it.
  static func decode(_ bytes: RawSpan) throws(PostgresError) -> Self

  /// What NULL stands for.
  static func decodeNull() throws(PostgresError) -> Self
}

extension PostgresCodable {
  package static func accepts(_ type: PostgresType) -> Bool { type == postgresType }

  package var isNull: Bool { false }

  package static func decodeNull() throws(PostgresError) -> Self {
    throw PostgresError(.decoding, "found NULL, expected \(Self.self)")
  }

  /// The error of a value whose bytes are not those of its type.
  static func malformed(_ bytes: RawSpan) -> PostgresError {
    PostgresError(.decoding, "\(bytes.byteCount) bytes are no \(Self.self)")
  }
}

extension PostgresCodable where Self: FixedWidthInteger & BitwiseCopyable {
  package func encode(into writer: inout ParameterWriter) { writer.append(self) }

  package static func decode(_ bytes: RawSpan) throws(PostgresError) -> Self {
    guard bytes.byteCount == MemoryLayout<Self>.size else { throw malformed(bytes) }
    return bytes.bigEndian(at: 0)
  }
}

extension Int16: PostgresCodable, PostgresElement {
  package static var postgresType: PostgresType { .int2 }
  package static var arrayType: PostgresType { .int2Array }
}

extension Int32: PostgresCodable, PostgresElement {
  package static var postgresType: PostgresType { .int4 }
  package static var arrayType: PostgresType { .int4Array }
}

extension Int64: PostgresCodable, PostgresElement {
  package static var postgresType: PostgresType { .int8 }
  package static var arrayType: PostgresType { .int8Array }
}

extension Bool: PostgresCodable, PostgresElement {
  package static var postgresType: PostgresType { .bool }
  package static var arrayType: PostgresType { .boolArray }

  package func encode(into writer: inout ParameterWriter) { writer.append(self ? 1 as UInt8 : 0) }

  package static func decode(_ bytes: RawSpan) throws(PostgresError) -> Bool {
    guard bytes.byteCount == 1 else { throw malformed(bytes) }
    return bytes.bigEndian(at: 0, as: UInt8.self) != 0
  }
}

extension String: PostgresCodable, PostgresElement {
  package static var postgresType: PostgresType { .text }
  package static var arrayType: PostgresType { .textArray }

  package static func accepts(_ type: PostgresType) -> Bool {
    type == .text || type == .varchar || type == .bpchar || type == .name
  }

  /// The server refuses text with a NUL in it (SQLSTATE 22021).
  package func encode(into writer: inout ParameterWriter) { writer.append(utf8) }

  package static func decode(_ bytes: RawSpan) throws(PostgresError) -> String {
    guard let text = bytes.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) else { throw malformed(bytes) }
    return text
  }
}

extension Optional: PostgresCodable where Wrapped: PostgresCodable {
  package static var postgresType: PostgresType { Wrapped.postgresType }
  package static func accepts(_ type: PostgresType) -> Bool { Wrapped.accepts(type) }
  package var isNull: Bool { self == nil }
  package func encode(into writer: inout ParameterWriter) { self?.encode(into: &writer) }
  package static func decode(_ bytes: RawSpan) throws(PostgresError) -> Wrapped? { try Wrapped.decode(bytes) }
  package static func decodeNull() throws(PostgresError) -> Wrapped? { nil }
}

extension RawSpan {
  /// The integer in network byte order at `offset`, which must leave room for it.
  func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Value.Type = Value.self
  ) -> Value {
    Value(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}
