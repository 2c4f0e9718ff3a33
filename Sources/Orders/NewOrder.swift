internal import API
package import Idempotency
package import Wire

/// An order that is about to be taken.
package struct NewOrder: Sendable, Equatable {
  /// The order's id: the caller's own, or one made for it.
  package var id: UUID
  /// Who pays.
  package var userID: UUID
  /// Minor units of `currency`.
  package var amount: Int64
  /// ISO 4217.
  package var currency: String
  /// What it is for.
  package var description: String
  /// When it is taken.
  package var createdAt: Timestamp
  /// The caller's Idempotency-Key, and the request that came with it.
  package var idempotency: IdempotentRequest?
  /// The trace that the order belongs to.
  package var traceparent: String?
}
