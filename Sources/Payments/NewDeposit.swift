package import Idempotency
package import Wire

/// Money that is about to be put on an account.
package struct NewDeposit: Equatable, Sendable {
  /// The deposit's id.
  package var id: UUID
  /// Whose account.
  package var userID: UUID
  /// In minor units.
  package var amount: Int64
  /// When.
  package var createdAt: Timestamp
  /// The caller's Idempotency-Key, and the request that came with it.
  package var idempotency: IdempotentRequest?
}
