internal import CPQ

extension PostgresError {
  /// The error that a result reports, or that its status is.
  init(result: OpaquePointer) {
    guard PQresultStatus(result) == PGRES_FATAL_ERROR else {
      self.init(.protocolViolation, "unexpected result: \(String(cString: PQresStatus(PQresultStatus(result))))")
      return
    }
    func field(_ code: Character) -> String? {
      PQresultErrorField(result, Int32(code.asciiValue!)).map { String(cString: $0) }
    }
    // The letters are those of `postgres_ext.h`, whose character macros do not reach Swift.
    let severity = field("V")
    let parts = [field("D"), field("H")].compactMap { $0 }
    let code: Code
    switch field("C").map(SQLState.init(rawValue:)) {
    case .some where severity == "FATAL" || severity == "PANIC": code = .connectionLost
    case .queryCanceled: code = .timeout
    case .some(let state): code = .server(state)
    case nil: code = .connectionLost
    }
    self.init(
      code, field("M") ?? Self.line(PQresultErrorMessage(result)),
      detail: parts.isEmpty ? nil : parts.joined(separator: "; "), constraint: field("n"))
  }

  /// What libpq last said about a connection, in one line.
  static func message(of handle: OpaquePointer?) -> String { line(PQerrorMessage(handle)) }

  private static func line(_ text: UnsafePointer<CChar>?) -> String {
    guard let text else { return "out of memory" }
    return String(cString: text).split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }
      .joined(separator: "; ")
  }
}
