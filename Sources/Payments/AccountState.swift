/// What a transaction knows of an account whose row it has locked.
package struct AccountState: Equatable, Sendable {
  /// The most that may be put on an account in all its life, in minor units: what a JSON number holds exactly. The balance is
  /// never more than was put there, so that a refund always finds room.
  package static let depositedMax: Int64 = 9_007_199_254_740_991

  /// ISO 4217.
  package var currency: String
  /// In minor units.
  package var balance: Int64
  /// All that was ever put on it, in minor units.
  package var deposited: Int64
  /// How many entries its ledger has.
  package var entries: Int64

  /// An account as the database has it.
  package init(currency: String, balance: Int64, deposited: Int64, entries: Int64) {
    self.currency = currency
    self.balance = balance
    self.deposited = deposited
    self.entries = entries
  }
}
