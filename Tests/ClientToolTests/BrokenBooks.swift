import TestSupport
import Wire

/// A way to break the books of ``BooksScene``, and what `gozon verify` is to say about it.
struct BrokenBooks: Sendable {
  let description: String
  /// What is run, in this order.
  let damage: [(database: String, script: String)]
  /// The checks that are broken then, and no others.
  let checks: Set<String>
  /// The id that the first of them names.
  let id: String
  /// What it says.
  let problem: String

  init(
    _ description: String, _ checks: Set<String>, _ id: some CustomStringConvertible, _ problem: String,
    orders: String? = nil, payments: String? = nil
  ) {
    self.description = description
    damage = [("orders", orders), ("payments", payments)].compactMap { name, script in script.map { (name, $0) } }
    self.checks = checks
    self.id = "\(id)"
    self.problem = problem
  }

  typealias Scene = BooksScene
  /// An order or a user that there is not.
  static let unknown = UUID(high: 0x7000, low: 0x8000_0000_0000_00FF)

  static let all = ledger + charges + refunds + timelines + questions + outcomes + keys

  /// Moves money on the account of ``BooksScene/rich`` as the ledger wants it.
  static func appending(kind: Int, cause: UUID, amount: Int) -> String {
    """
    INSERT INTO entries SELECT user_id, entries + 1, \(kind), '\(cause)', \(amount), balance + \(amount), now()
    FROM accounts WHERE user_id = '\(Scene.rich)';
    UPDATE accounts SET entries = entries + 1, balance = balance + \(amount) WHERE user_id = '\(Scene.rich)'
    """
  }

  static func key(_ scope: String, _ response: [UInt8]) -> String {
    """
    INSERT INTO idempotency_keys (scope, key, request, response, created_at)
    VALUES ('\(scope)', 'lost', '', '\\x\(hexadecimal(response))', now())
    """
  }
}
