@testable import Postgres
import Testing
import Wire

@Suite struct PostgresCodableTests {
  private func encoded(_ value: some PostgresCodable) -> [UInt8] {
    var writer = ParameterWriter()
    value.encode(into: &writer)
    return writer.bytes
  }

  private func decoded<Value: PostgresCodable>(_ bytes: [UInt8], as type: Value.Type = Value.self) throws -> Value {
    try Value.decode(bytes.span.bytes)
  }

  /// Checks that every shorter form, and a longer one, is refused.
  private func expectOnly<Value: PostgresCodable & Equatable>(_ bytes: [UInt8], decodeTo value: Value) throws {
    #expect(encoded(value) == bytes)
    #expect(try decoded(bytes) == value)
    for length in bytes.indices {
      #expect(throws: PostgresError.self) { try decoded(Array(bytes[..<length]), as: Value.self) }
    }
    #expect(throws: PostgresError.self) { try decoded(bytes + [0], as: Value.self) }
  }

  @Test func `scalars have the server's binary form and no other length`() throws {
    try expectOnly([1], decodeTo: true)
    try expectOnly([0x80, 0x01], decodeTo: Int16.min + 1)
    try expectOnly([0xff, 0xff, 0xff, 0xfe], decodeTo: Int32(-2))
    try expectOnly([0, 0, 0, 0, 0, 0, 1, 2], decodeTo: Int64(258))
  }

  @Test func `UUIDs and moments have the server's binary form and no other length`() throws {
    try expectOnly(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
      decodeTo: UUID(high: 0x0001_0203_0405_0607, low: 0x0809_0a0b_0c0d_0e0f))
    try expectOnly([0, 0, 0, 0, 0, 0, 0, 1], decodeTo: Timestamp(microseconds: 946_684_800_000_001))
    #expect(throws: PostgresError.self) { try decoded([0x80, 0, 0, 0, 0, 0, 0, 0], as: Timestamp.self) }
    #expect(throws: PostgresError.self) { try decoded([0x7f] + .init(repeating: 0xff, count: 7), as: Timestamp.self) }
    #expect(encoded(Timestamp(microseconds: .min)) == encoded(Int64.min))
  }

  @Test func `text must be UTF-8`() throws {
    #expect(encoded("é") == [0xc3, 0xa9])
    #expect(try decoded([0xc3, 0xa9], as: String.self) == "é")
    #expect(try decoded([], as: String.self) == "")
    #expect(throws: PostgresError.self) { try decoded([0xc3], as: String.self) }
  }

  @Test func `bytes are one value, not an array`() throws {
    #expect(encoded([1, 2, 3] as [UInt8]) == [1, 2, 3])
    #expect([UInt8].postgresType == .bytea)
    #expect([[UInt8]].postgresType == .byteaArray)
    #expect([[UInt8]?].postgresType == .byteaArray)
    #expect(try decoded([], as: [UInt8].self) == [])
  }

  @Test func `arrays have one dimension, a NULL flag and counted elements`() throws {
    let header: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0, 2, 0, 0, 0, 1]
    try expectOnly(header + [0, 0, 0, 2, 0, 7, 0, 0, 0, 2, 0xff, 0xff], decodeTo: [7, -1] as [Int16])
    let withNull: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 25, 0, 0, 0, 3, 0, 0, 0, 1]
    try expectOnly(
      withNull + [0, 0, 0, 1, 0x61, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0], decodeTo: ["a", nil, ""] as [String?])
    try expectOnly([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17], decodeTo: [] as [[UInt8]])
  }

  @Test func `hostile arrays are refused without allocating`() {
    func refuses(_ bytes: [UInt8]) {
      #expect(throws: PostgresError.self) { try decoded(bytes, as: [Int64?].self) }
    }
    let type: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 20]
    refuses([0, 0, 0, 1] + type + [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1])
    refuses([0, 0, 0, 1] + type + [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1])
    refuses([0, 0, 0, 1] + type + [0, 0, 0, 1, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff])
    refuses([0, 0, 0, 1] + type + [0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe])
    refuses([0, 0, 0, 2] + type + [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1])
    refuses([0, 0, 0, 0] + type + [0])
    refuses([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 21, 0, 0, 0, 0, 0, 0, 0, 1])
  }

  @Test func `NULL needs an optional`() throws {
    #expect(try Int64?.decodeNull() == nil)
    #expect(throws: PostgresError.self) { try Int64.decodeNull() }
    #expect(throws: PostgresError.self) { try [Int64].decodeNull() }
  }

  @Test func `a statement carries its parameters in one buffer`() {
    let statement = Statement("SELECT $1, $2, $3", Int16(5), nil as Int64?, "ab")
    #expect(statement.parameterCount == 3)
    #expect(
      statement.parameters == [
        0, 0, 0, 21, 0, 0, 0, 2, 0, 5,
        0, 0, 0, 20, 0xff, 0xff, 0xff, 0xff,
        0, 0, 0, 25, 0, 0, 0, 2, 0x61, 0x62,
      ])
    #expect(Statement("SELECT 1").parameters == [])
  }
}
