internal import API
internal import Wire

/// What an Idempotency-Key is answered with, as far as it can be looked up.
struct KeptResponse: Equatable, Sendable {
  let key: String
  /// The order or the deposit; of an account, its user.
  let id: UUID
  let userID: UUID
  /// Nil for an account.
  let amount: Int64?

  /// Reads a response that was kept for a method; behind its name the scope may name a principal.
  ///
  /// - Throws: ``DecodingError`` for bytes that are no such response.
  /// - Returns: nil for a method whose responses are not known here.
  static func reading(_ bytes: RawSpan, of scope: String, key: String) throws(DecodingError) -> KeptResponse? {
    switch scope.prefix(while: { $0 != " " }) {
    case "CreateOrder", "CancelOrder":
      let order = try Order(decoding: bytes)
      return KeptResponse(key: key, id: order.id, userID: order.userId, amount: order.amount)
    case "Deposit":
      let deposit = try Deposit(decoding: bytes)
      return KeptResponse(key: key, id: deposit.id, userID: deposit.userId, amount: deposit.amount)
    case "CreateAccount":
      let account = try Account(decoding: bytes)
      return KeptResponse(key: key, id: account.userId, userID: account.userId, amount: nil)
    default: return nil
    }
  }
}
