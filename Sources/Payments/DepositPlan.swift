package import API
package import Wire

/// Decides a batch of deposits, one after the other. No I/O.
package struct DepositPlan: Sendable {
  /// A request and the response that was given to it.
  package typealias Keyed = (request: [UInt8], response: [UInt8])

  /// What the batch does to the ledger.
  package private(set) var ledger: LedgerPlan
  /// The keys to remember with their first responses.
  package private(set) var keys: [(key: String, request: [UInt8], response: [UInt8])] = []
  /// What became of each deposit of the batch, in its order.
  package private(set) var outcomes: [IdempotentOutcome<Deposit>] = []

  /// Decides `deposits`.
  ///
  /// - Parameters:
  ///   - keyed: what was answered under keys before.
  ///   - accounts: the accounts of the users, locked.
  package init(of deposits: [NewDeposit], keyed: [String: Keyed], accounts: [UUID: AccountState]) {
    ledger = LedgerPlan(accounts: accounts)
    var keyed = keyed
    for deposit in deposits {
      if let own = deposit.idempotency, let first = keyed[own.key] {
        outcomes.append(Self.repeated(own, first))
        continue
      }
      let outcome = post(deposit)
      outcomes.append(outcome)
      if case .done(let response) = outcome, let own = deposit.idempotency {
        let bytes = response.encoded()
        keyed[own.key] = (own.request, bytes)
        keys.append((own.key, own.request, bytes))
      }
    }
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

  /// A repeat is answered as the first time; bytes that cannot be read are as good as another request's.
  private static func repeated(_ own: IdempotentRequest, _ first: Keyed) -> IdempotentOutcome<Deposit> {
    guard own.request == first.request, let response = try? Deposit(decoding: first.response) else { return .keyReused }
    return .replayed(response)
  }
}
