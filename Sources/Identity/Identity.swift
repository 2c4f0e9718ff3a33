package import Wire

/// Who a token speaks for.
package struct Identity: Equatable, Sendable {
  /// The token's `sub`.
  package var subject: String
  /// The words of its `scope` (RFC 8693 section 4.2).
  package var scopes: [String]
  /// Until when.
  package var expiresAt: Timestamp

  /// How far the clocks of whoever makes tokens may be from ours, in seconds.
  static let leeway: Int64 = 30

  /// Who is called `subject`.
  package init(subject: String, scopes: [String], expiresAt: Timestamp) {
    self.subject = subject
    self.scopes = scopes
    self.expiresAt = expiresAt
  }

  /// Until when the token holds, as its maker's clock may see it.
  package var endsAt: Timestamp {
    Timestamp(microseconds: expiresAt.microseconds.addingClamped(Self.leeway * 1_000_000))
  }

  /// Whether the token holds still.
  package func isValid(at now: Timestamp) -> Bool { now < endsAt }
}

extension Int64 {
  /// The sum, or the nearest number to it.
  func addingClamped(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other > 0 ? .max : .min) : sum
  }
}
