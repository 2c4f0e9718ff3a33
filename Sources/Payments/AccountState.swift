/// What a transaction knows of an account whose row it has locked.
package struct AccountState: Equatable, Sendable {
  /// The most that an account may hold, in minor units: what a JSON number holds exactly.
  package static let balanceMax: Int64 = 9_007_199_254_740_991

  /// ISO 4217.
  package var currency: String
  /// In minor units.
  package var balance: Int64
  /// How many entries its ledger has.
  package var entries: Int64

  /// An account as the database has it.
  package init(currency: String, balance: Int64, entries: Int64) {
    self.currency = currency
    self.balance = balance
    self.entries = entries
  }
}
