package import API

/// What became of a ``NewOrder``.
package enum CreationOutcome: Sendable, Equatable {
  /// It was taken now.
  case created
  /// The caller took it before: the order as it stands.
  case repeated(Order)
  /// The Idempotency-Key was used before with the same request: the first response.
  case replayed(Order)
  /// Another order has this id.
  case idTaken
  /// The Idempotency-Key was used before with another request.
  case keyReused
}
