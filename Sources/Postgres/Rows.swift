internal import CPQ

/// What a statement returned: its rows, or how many it touched.
///
/// The rows stay in the memory that libpq read them into; accessors decode from there.
package struct Rows: RandomAccessCollection, Sendable {
  private let result: ResultMemory

  /// Takes over `result`, and clears it when the last row is gone.
  init(_ result: OpaquePointer) { self.result = ResultMemory(result) }

  /// No rows: what a command returns.
  static var none: Rows { Rows(PQmakeEmptyPGresult(nil, PGRES_COMMAND_OK)) }

  package var startIndex: Int { 0 }
  package var endIndex: Int { result.rowCount }

  package subscript(position: Int) -> Row {
    precondition(position >= 0 && position < result.rowCount, "a row that is not there")
    return Row(result: result, index: Int32(position))
  }

  /// How many rows an INSERT, UPDATE, DELETE, MERGE or SELECT touched.
  package var affected: Int { Int(String(cString: PQcmdTuples(result.pointer))) ?? 0 }

  /// The kind of statement that ran, such as `COMMIT`, or `ROLLBACK` when a commit was refused.
  var commandTag: String { String(cString: PQcmdStatus(result.pointer)) }

  /// The only row.
  ///
  /// - Throws: `.decoding` when there are none, or several.
  package func single() throws(PostgresError) -> Row {
    guard count == 1 else { throw PostgresError(.decoding, "found \(count) rows, expected one") }
    return self[0]
  }
}

/// One row; cheap to copy, and keeps its whole result alive.
package struct Row: Sendable {
  fileprivate let result: ResultMemory
  fileprivate let index: Int32

  /// The value in `column`, counted from 0; `Optional` types take NULL.
  ///
  /// - Throws: `.decoding` when there is no such column, or it is of another type, malformed, or NULL where that cannot be.
  package func value<Value: PostgresCodable>(
    _ column: Int, as type: Value.Type = Value.self
  ) throws(PostgresError) -> Value {
    try check(column, accepts: type.accepts)
    let column = Int32(column)
    if PQgetisnull(result.pointer, index, column) != 0 { return try Value.decodeNull() }
    return try Value.decode(result.bytes(index, column))
  }

  /// The values of all columns in order: `let (id, amount) = try row.values((UUID, Int64?).self)`.
  package func values<each Value: PostgresCodable>(
    _ types: (repeat each Value).Type = (repeat each Value).self
  ) throws(PostgresError) -> (repeat each Value) {
    var column = -1
    func next<Next: PostgresCodable>(_ type: Next.Type) throws(PostgresError) -> Next {
      column += 1
      return try value(column)
    }
    return (repeat try next((each Value).self))
  }

  /// Hands the bytes of a `bytea` to `body` where they lie, nil for NULL.
  package func withBytes<Result>(
    _ column: Int, _ body: (RawSpan?) throws -> Result
  ) throws -> Result {
    try check(column, accepts: [UInt8].accepts)
    let column = Int32(column)
    if PQgetisnull(result.pointer, index, column) != 0 { return try body(nil) }
    return try body(result.bytes(index, column))
  }

  private func check(_ column: Int, accepts: (PostgresType) -> Bool) throws(PostgresError) {
    guard column >= 0 && column < result.columnCount else {
      throw PostgresError(.decoding, "there is no column \(column)")
    }
    let type = PostgresType(rawValue: PQftype(result.pointer, Int32(column)))
    guard accepts(type) else {
      throw PostgresError(.decoding, "column \(column) has type OID \(type.rawValue): cast it in the SQL")
    }
  }
}

// libpq never changes a result once it is made, and clearing it happens once, in `deinit`.
private final class ResultMemory: @unchecked Sendable {
  let pointer: OpaquePointer
  let rowCount: Int
  let columnCount: Int

  init(_ pointer: OpaquePointer) {
    self.pointer = pointer
    rowCount = Int(PQntuples(pointer))
    columnCount = Int(PQnfields(pointer))
  }

  deinit { PQclear(pointer) }

  /// The bytes of a value that is not NULL; row and column must exist.
  @_lifetime(borrow self)
  func bytes(_ row: Int32, _ column: Int32) -> RawSpan {
    let start = UnsafeRawPointer(PQgetvalue(pointer, row, column)!)
    let span = RawSpan(_unsafeStart: start, byteCount: Int(PQgetlength(pointer, row, column)))
    return _overrideLifetime(span, borrowing: self)
  }
}
