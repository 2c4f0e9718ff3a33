internal import EventLoop

/// Something that must hold at every moment, and the way to find out whether it does while the system works.
protocol Check: Sendable {
  /// A word for it.
  var name: String { get }
  /// What must hold, in a sentence.
  var rule: String { get }
  /// What breaks it: `order`, `account` and so on.
  var subject: String { get }
  /// Looks. What is told of has been broken in one moment of a database, or for seconds between the two of them.
  func look(at system: AuditedSystem, limit: Int64) async throws -> Finding
}

/// What the checks look at.
struct AuditedSystem: Sendable {
  let loop: EventLoop
  let orders: DatabaseSession
  let payments: DatabaseSession

  subscript(name: DatabaseName) -> DatabaseSession {
    switch name {
    case .orders: orders
    case .payments: payments
    }
  }
}
