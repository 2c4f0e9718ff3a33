package import API
package import Idempotency
package import Wire

/// Decides a batch of deposits, one after the other. No I/O.
package struct DepositPlan: Sendable {
  /// What the batch does to the ledger.
  package private(set) var ledger: LedgerPlan
  /// What was answered under keys, and is now.
  package private(set) var answers: KeyedAnswers
  /// What became of each deposit of the batch, in its order.
  package private(set) var outcomes: [IdempotentOutcome<Deposit>] = []

  /// Decides `deposits`.
  ///
  /// - Parameters:
  ///   - answers: what was answered under the deposits' keys before.
  ///   - accounts: the accounts of the users, locked.
  package init(of deposits: [NewDeposit], answers: KeyedAnswers, accounts: [UUID: AccountState]) {
    ledger = LedgerPlan(accounts: accounts)
    self.answers = answers
    outcomes.reserveCapacity(deposits.count)
    for deposit in deposits { outcomes.append(decide(deposit)) }
  }

  private mutating func decide(_ deposit: NewDeposit) -> IdempotentOutcome<Deposit> {
    switch answers.verdict(on: deposit.idempotency) {
    case .isAnother: return .keyReused
    case .isRepeat(let response):
      // Bytes that cannot be read are as good as another request's.
      return (try? Deposit(decoding: response)).map { .replayed($0) } ?? .keyReused
    case .isNew: break
    }
    let outcome = post(deposit)
    if case .done(let response) = outcome { answers.keep(response.encoded(), to: deposit.idempotency) }
    return outcome
  }

  private mutating func post(_ deposit: NewDeposit) -> IdempotentOutcome<Deposit> {
    guard let account = ledger.accounts[deposit.userID] else { return .noAccount }
    let balance = ledger.post(
      .deposit, amount: deposit.amount, to: deposit.userID, cause: deposit.id, at: deposit.createdAt)
    guard let balance else { return .balanceTooLarge }
    return .done(
      Deposit(
        id: deposit.id, userId: deposit.userID, amount: deposit.amount, currency: account.currency, balance: balance,
        createdAt: deposit.createdAt))
  }
}
