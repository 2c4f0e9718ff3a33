internal import CPQ

/// The arrays of pointers that libpq takes parameters by, used again for every statement.
struct ParameterScratch {
  private static let binaryFormats = [Int32](repeating: 1, count: Statement.parametersMax)

  private var values: [UnsafePointer<CChar>?] = []
  private var lengths: [Int32] = []
  private var types: [Oid] = []

  init() {}

  /// Sends a statement that is prepared; returns libpq's 1, or 0 when it failed.
  mutating func send(_ reply: Reply, on handle: OpaquePointer) -> Int32 {
    reply.statement.parameters.withUnsafeBytes { bytes in
      lay(out: bytes)
      return PQsendQueryPrepared(
        handle, reply.prepared!.name, Int32(reply.statement.parameterCount), values, lengths, Self.binaryFormats, 1)
    }
  }

  /// Sends the request to prepare a statement with the types of its parameters; returns as ``send(_:on:)``.
  mutating func prepare(_ statement: Statement, as prepared: PreparedStatement, on handle: OpaquePointer) -> Int32 {
    statement.parameters.withUnsafeBytes { lay(out: $0) }
    return statement.sql.utf8Start.withMemoryRebound(to: CChar.self, capacity: statement.sql.utf8CodeUnitCount + 1) {
      PQsendPrepare(handle, prepared.name, $0, Int32(types.count), types)
    }
  }

  /// Points at each value in a statement's buffer; the pointers are good while the buffer is held.
  private mutating func lay(out bytes: UnsafeRawBufferPointer) {
    values.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    types.removeAll(keepingCapacity: true)
    var offset = 0
    while offset < bytes.count {
      types.append(Oid(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Oid.self)))
      let length = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: Int32.self))
      offset += 8
      let start = bytes.baseAddress! + offset
      values.append(length < 0 ? nil : start.assumingMemoryBound(to: CChar.self))
      lengths.append(max(length, 0))
      offset += Int(max(length, 0))
    }
  }
}
