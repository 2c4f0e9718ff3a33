package import Wire

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
