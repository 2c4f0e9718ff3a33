package import API
package import Wire

/// What one transaction is about to write: accounts that were locked, and how they change. No I/O.
package struct LedgerPlan: Sendable {
  /// The accounts as they will be.
  package private(set) var accounts: [UUID: AccountState]
  /// The accounts that change.
  package private(set) var changed: Set<UUID> = []
  /// The entries to append, in order.
  package private(set) var entries: [LedgerEntry] = []

  /// A plan that starts from the accounts as they are.
  package init(accounts: [UUID: AccountState]) { self.accounts = accounts }

  /// Moves `amount` on the account of `userID`: positive in, negative out.
  ///
  /// - Returns: the balance right after; nil when there is no account, the balance would leave its bounds, or all that was put
  ///   on the account would.
  package mutating func post(
    _ kind: EntryKind, amount: Int64, to userID: UUID, cause: UUID, at time: Timestamp
  ) -> Int64? {
    guard var account = accounts[userID] else { return nil }
    let (balance, overflow) = account.balance.addingReportingOverflow(amount)
    if kind == .deposit {
      guard amount <= AccountState.depositedMax - account.deposited else { return nil }
      account.deposited += amount
    }
    guard !overflow, balance >= 0, balance <= account.deposited else { return nil }
    account.balance = balance
    account.entries += 1
    accounts[userID] = account
    changed.insert(userID)
    entries.append(
      LedgerEntry(
        userID: userID, number: account.entries, kind: kind, cause: cause, amount: amount, balance: balance,
        createdAt: time))
    return balance
  }
}
