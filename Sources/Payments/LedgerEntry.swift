package import API
package import Wire

/// One transfer between a user's account and the shop's, as the ledger keeps it.
package struct LedgerEntry: Equatable, Sendable {
  /// The user.
  package var userID: UUID
  /// 1, 2, 3 … on each account.
  package var number: Int64
  /// What moved the balance.
  package var kind: EntryKind
  /// The deposit's id, or the order's.
  package var cause: UUID
  /// In minor units: positive in, negative out.
  package var amount: Int64
  /// The account's balance right after.
  package var balance: Int64
  /// When.
  package var createdAt: Timestamp
}
