package import Wire

extension UUID: PostgresCodable, PostgresElement {
  package static var postgresType: PostgresType { .uuid }
  package static var arrayType: PostgresType { .uuidArray }

  package func encode(into writer: inout ParameterWriter) {
    writer.append(high)
    writer.append(low)
  }

  package static func decode(_ bytes: RawSpan) throws(PostgresError) -> UUID {
    guard bytes.byteCount == 16 else { throw malformed(bytes) }
    return UUID(high: bytes.bigEndian(at: 0), low: bytes.bigEndian(at: 8))
  }
}

extension Timestamp: PostgresCodable, PostgresElement {
  /// From 1970-01-01 to the server's epoch, 2000-01-01T00:00:00Z.
  private static let epochMicroseconds: Int64 = 946_684_800_000_000

  package static var postgresType: PostgresType { .timestamptz }
  package static var arrayType: PostgresType { .timestamptzArray }

  /// A moment before the server's range becomes `-infinity`.
  package func encode(into writer: inout ParameterWriter) {
    let (shifted, overflow) = microseconds.subtractingReportingOverflow(Self.epochMicroseconds)
    writer.append(overflow ? Int64.min : shifted)
  }

  /// Refuses `infinity` and `-infinity`, which the server keeps as the greatest and the least integer.
  package static func decode(_ bytes: RawSpan) throws(PostgresError) -> Timestamp {
    let shifted = try Int64.decode(bytes)
    let (microseconds, overflow) = shifted.addingReportingOverflow(epochMicroseconds)
    guard !overflow, shifted != .min else { throw malformed(bytes) }
    return Timestamp(microseconds: microseconds)
  }
}
