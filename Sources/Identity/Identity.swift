package import Wire

/// Who a token speaks for.
package struct Identity: Equatable, Sendable {
  /// The token's `sub`.
  package var subject: String
  /// The words of its `scope` (RFC 8693 section 4.2).
  package var scopes: [String]
  /// Until when.
  package var expiresAt: Timestamp

  /// Who is called `subject`.
  package init(subject: String, scopes: [String], expiresAt: Timestamp) {
    self.subject = subject
    self.scopes = scopes
    self.expiresAt = expiresAt
  }
}
