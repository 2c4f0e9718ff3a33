package import RPC

/// An Idempotency-Key, and whose it is: the same key of another method or of another principal is another key.
package struct IdempotencyKey: Hashable, Sendable {
  /// The method, and behind a blank the principal: a caller's key does nothing for others.
  package let scope: String
  /// What the caller chose.
  package let value: String

  /// The key `value` of a method, for a principal; without one, of the calling service itself.
  package init(_ value: String, method: String, principal: Principal? = nil) {
    self.value = value
    scope = principal.map { "\(method) \($0.subject)" } ?? method
  }

  /// The key of a row.
  init(scope: String, value: String) {
    self.scope = scope
    self.value = value
  }
}
