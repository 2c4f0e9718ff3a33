/// SQL with the values of its parameters `$1`, `$2`, …
///
/// The SQL is a literal, so that no value can ever become part of it; it is prepared once on each connection for the
/// types of its parameters, which are declared to the server, never guessed by it.
package struct Statement: Sendable {
  /// What statements share that one prepared statement serves.
  struct Key: Hashable {
    /// Where the literal lies.
    let address: UInt
    /// The parameters' types, mixed: the compiler may keep equal literals of different statements at one address.
    var types: UInt64 = 0
  }

  /// Parameters that a statement can have.
  static let parametersMax = 64

  /// The text.
  package let sql: StaticString
  let key: Key
  let parameterCount: Int
  /// For each parameter its type's OID, the length of its value (-1 for NULL) and the value in binary.
  let parameters: [UInt8]

  /// The statement `sql` with its parameters in order.
  package init<each Parameter: PostgresCodable>(_ sql: StaticString, _ parameter: repeat each Parameter) {
    var writer = ParameterWriter()
    var key = Key(address: UInt(bitPattern: sql.utf8Start))
    var count = 0
    for value in repeat each parameter {
      if count == 0 { writer.reserve() }
      let type = type(of: value).postgresType.rawValue
      // One round of FNV-1a.
      key.types = (key.types ^ UInt64(type)) &* 0x100_0000_01b3
      writer.append(type)
      writer.appendWithLength(value)
      count += 1
    }
    precondition(count <= Self.parametersMax, "a statement with too many parameters")
    self.sql = sql
    self.key = key
    parameterCount = count
    parameters = writer.bytes
  }
}

/// Gathers the binary form of parameters in one buffer.
package struct ParameterWriter {
  private(set) var bytes: [UInt8] = []

  init() {}

  /// Makes room for the parameters of an ordinary statement at once.
  mutating func reserve() { bytes.reserveCapacity(64) }

  /// Appends an integer in network byte order.
  package mutating func append<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  /// Appends bytes as they are.
  package mutating func append(_ content: some Collection<UInt8>) { bytes.append(contentsOf: content) }

  /// Appends a value behind its length, or the length -1 for NULL.
  ///
  /// A server takes no message beyond 1 GiB, and libpq refuses to send one: a length fits 32 bits or is never sent.
  mutating func appendWithLength(_ value: some PostgresCodable) {
    if value.isNull { return append(-1 as Int32) }
    let start = bytes.count
    append(0 as Int32)
    value.encode(into: &self)
    let length = UInt32(truncatingIfNeeded: bytes.count - start - 4)
    for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
  }
}
