internal import EventLoop

/// Everything that must hold, in the order in which it is looked at.
enum Checks {
  /// All checks.
  ///
  /// - Parameter stuckAfter: how long an answer may take.
  static func all(stuckAfter: Duration) -> [any Check] {
    ledger + orders(stuckAfter.wholeMicroseconds) + [OutcomeCheck(stuckAfter: stuckAfter), KeyCheck()]
  }

  private static var ledger: [any Check] {
    [
      DigestCheck(
        name: "entries", rule: "entries count up from 1, balances follow, and the last is the account's",
        subject: "account", database: .payments, digests: { PaymentsChecks.entryDigests($0, seed: $1) },
        closerLook: { PaymentsChecks.entries(in: $0, of: $1, limit: $2) }),
      StatementCheck(
        name: "values", rule: "no balance is negative or above the deposits, no amount has a wrong sign",
        subject: "account", database: .payments, statement: { PaymentsChecks.values(limit: $0) }),
      StatementCheck(
        name: "deposits", rule: "what was put on an account is the sum of its deposits", subject: "account",
        database: .payments, statement: { PaymentsChecks.deposits(limit: $0) }),
      StatementCheck(
        name: "sums", rule: "deposits - charges + refunds = balances: both sides cancel out",
        subject: "currency", database: .payments, statement: { PaymentsChecks.sums(limit: $0) }),
      DigestCheck(
        name: "charges", rule: "a charge that was made took its amount once, and any other nothing",
        subject: "order", database: .payments, digests: { PaymentsChecks.chargeDigests($0, seed: $1) },
        closerLook: { PaymentsChecks.charges(in: $0, of: $1, limit: $2) }),
      StatementCheck(
        name: "refunds", rule: "a refund gives back what a charge took, once, and not before",
        subject: "order", database: .payments, statement: { PaymentsChecks.refunds(limit: $0) }),
    ]
  }

  private static func orders(_ stuckAfter: Int64) -> [any Check] {
    [
      StatementCheck(
        name: "timelines", rule: "what happened to an order is all there, in a sequence that can be", subject: "order",
        database: .orders, statement: { OrdersChecks.timelines(limit: $0) }),
      StatementCheck(
        name: "answers", rule: "no order waits too long for its payment or its cancellation", subject: "order",
        database: .orders, statement: { OrdersChecks.answers(stuckAfterMicroseconds: stuckAfter, limit: $0) }),
      StatementCheck(
        name: "questions", rule: "whatever waits for an answer is asked for again", subject: "order", database: .orders,
        statement: { OrdersChecks.questions(limit: $0) }),
      StatementCheck(
        name: "strays", rule: "nothing is asked about an order that there is not", subject: "order", database: .orders,
        statement: { OrdersChecks.strays(limit: $0) }),
    ]
  }
}

extension Duration {
  /// In microseconds, without what is smaller.
  var wholeMicroseconds: Int64 { nanoseconds / 1_000 }
}
