internal import API
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

/// A request under an Idempotency-Key.
package struct IdempotentRequest: Equatable, Sendable {
  /// The key.
  package var key: String
  /// The request's bytes: the same key with other bytes is refused.
  package var request: [UInt8]
}

/// What became of a request that may be a repeat.
package enum IdempotentOutcome<Response: Message>: Equatable, Sendable {
  /// It was done now.
  case done(Response)
  /// The key was used before with the same request: the first response.
  case replayed(Response)
  /// The key was used before with another request.
  case keyReused
  /// The user has no account.
  case noAccount
  /// The user has an account already.
  case accountExists
  /// More would have been put on the account than there may be.
  case balanceTooLarge
}
