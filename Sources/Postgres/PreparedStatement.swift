/// A statement that one connection has prepared, or asked to be.
// Confined to its event loop, with its connection.
final class PreparedStatement: @unchecked Sendable {
  /// The name that the server knows it by, ending in NUL.
  let name: [CChar]
  /// Why it was not prepared after all; its users learn this instead of "no such statement".
  var failure: PostgresError?
  /// Whether a cancel request stopped the server from preparing it: its users lose nothing by trying again.
  var wasCancelled = false
  /// Whether the server can no longer run it, and the next use prepares another.
  var isStale = false

  init(number: Int) { name = "s\(number)".utf8CString.map { $0 } }
}
