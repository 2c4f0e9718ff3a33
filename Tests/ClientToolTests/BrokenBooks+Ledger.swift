/// Broken accounts, entries, charges and refunds.
extension BrokenBooks {
  static let ledger = [
    BrokenBooks(
      "an entry is missing", ["entries"], Scene.rich, "entry 4 comes behind entry 2",
      payments: "UPDATE entries SET number = number + 1 WHERE user_id = '\(Scene.rich)' AND number >= 3"),
    BrokenBooks(
      "an entry has another's number", ["entries"], Scene.rich, "entry 2 comes behind entry 2",
      payments: "UPDATE entries SET number = 2 WHERE user_id = '\(Scene.rich)' AND number = 3"),
    BrokenBooks(
      "a balance does not follow from the one before", ["entries"], Scene.rich,
      "entry 2 moves -100 on a balance of 1000 and leaves 901",
      payments: "UPDATE entries SET balance = balance + 1 WHERE user_id = '\(Scene.rich)' AND number = 2"),
    BrokenBooks(
      "an account counts wrong", ["entries"], Scene.foreign, "says that it has 3 entries, and has 2",
      payments: "UPDATE accounts SET entries = entries + 1 WHERE user_id = '\(Scene.foreign)'"),
    BrokenBooks(
      "an account has another balance than its last entry", ["entries", "sums"], Scene.foreign,
      "says that 439 is on it, and its last entry leaves 440",
      payments: "UPDATE accounts SET balance = balance - 1 WHERE user_id = '\(Scene.foreign)'"),
    BrokenBooks(
      "entries have no account", ["entries", "sums", "keys"], Scene.foreign, "has 2 entries and is no account",
      payments: "DELETE FROM accounts WHERE user_id = '\(Scene.foreign)'"),
    BrokenBooks(
      "an account without entries has money", ["entries", "values", "sums"], Scene.poor,
      "says that 5 is on it, and its last entry leaves 0",
      payments: "UPDATE accounts SET balance = 5 WHERE user_id = '\(Scene.poor)'"),
    BrokenBooks(
      "a balance is negative", ["values"], Scene.poor, "entry 1 of kind 2 moves -50 and leaves -50",
      orders: "UPDATE orders SET status = 2, reason = NULL WHERE id = '\(Scene.tooDear)'",
      payments: """
        UPDATE charges SET outcome = 1 WHERE order_id = '\(Scene.tooDear)';
        INSERT INTO entries VALUES ('\(Scene.poor)', 1, 2, '\(Scene.tooDear)', -50, -50, now());
        UPDATE accounts SET balance = -50, entries = 1 WHERE user_id = '\(Scene.poor)'
        """),
    BrokenBooks(
      "a deposit has the wrong sign", ["entries", "values", "deposits", "sums", "keys"], Scene.rich,
      "entry 1 moves -1000 on a balance of 0 and leaves 1000",
      payments: "UPDATE entries SET amount = -1000 WHERE user_id = '\(Scene.rich)' AND number = 1"),
    BrokenBooks(
      "an account says that something else was put on it", ["deposits"], Scene.rich,
      "says that 1001 was put on it, and its deposits are 1000",
      payments: "UPDATE accounts SET deposited = deposited + 1 WHERE user_id = '\(Scene.rich)'"),
    BrokenBooks(
      "values are beyond all bounds", ["entries", "values", "deposits", "sums", "keys"], Scene.rich,
      "entry 1 moves \(Int64.max) and leaves 1000",
      payments: """
        UPDATE entries SET amount = \(Int64.max) WHERE user_id = '\(Scene.rich)' AND number = 1
        """),
  ]

  static let charges = [
    BrokenBooks(
      "an entry rests on no charge", ["charges", "outcomes"], Scene.paid, "took 100 from account \(Scene.rich)",
      payments: "DELETE FROM charges WHERE order_id = '\(Scene.paid)'"),
    BrokenBooks(
      "a charge that was made has no entry", ["charges"], Scene.tooDear,
      "has a charge of 50 that was made, and no entry takes it from account \(Scene.poor)",
      orders: "UPDATE orders SET status = 2, reason = NULL WHERE id = '\(Scene.tooDear)'",
      payments: "UPDATE charges SET outcome = 1 WHERE order_id = '\(Scene.tooDear)'"),
    BrokenBooks(
      "a charge that was not made has an entry", ["charges"], Scene.paid, "its charge was not made (outcome 2)",
      orders: "UPDATE orders SET status = 3, reason = 1 WHERE id = '\(Scene.paid)'",
      payments: "UPDATE charges SET outcome = 2 WHERE order_id = '\(Scene.paid)'"),
    BrokenBooks(
      "an order is charged twice", ["charges"], Scene.paid, "was charged 2 times, 200 in all",
      payments: appending(kind: 2, cause: Scene.paid, amount: -100)),
    BrokenBooks(
      "an entry takes more than its charge says", ["charges", "outcomes"], Scene.paid,
      "has a charge of 99, and took 100",
      payments: "UPDATE charges SET amount = 99 WHERE order_id = '\(Scene.paid)'"),
    BrokenBooks(
      "an entry takes it from somebody else", ["charges", "outcomes"], Scene.paid,
      "has no charge that says so",
      payments: "UPDATE charges SET user_id = '\(Scene.poor)' WHERE order_id = '\(Scene.paid)'"),
  ]

  static let refunds = [
    BrokenBooks(
      "a refund has no charge", ["refunds"], unknown, "was refunded 10, and was never charged",
      payments: appending(kind: 3, cause: unknown, amount: 10)),
    BrokenBooks(
      "a refund is of a charge that was not made", ["refunds"], Scene.withoutAccount,
      "was refunded 60, and its charge was not made (outcome 3)",
      payments: appending(kind: 3, cause: Scene.withoutAccount, amount: 60)),
    BrokenBooks(
      "an order is refunded twice", ["refunds", "values"], Scene.refunded, "was refunded 2 times",
      payments: appending(kind: 3, cause: Scene.refunded, amount: 200)),
    BrokenBooks(
      "a refund gives back less", ["refunds"], Scene.paid, "took 100 and was refunded 99",
      orders: """
        UPDATE orders SET status = 4, finished_at = updated_at, cancel_requested_at = created_at
        WHERE id = '\(Scene.paid)'
        """, payments: appending(kind: 3, cause: Scene.paid, amount: 99)),
    BrokenBooks(
      "a refund goes to somebody else", ["refunds"], Scene.paidAbroad,
      "took from account \(Scene.foreign) and was refunded to account \(Scene.rich)",
      orders: """
        UPDATE orders SET status = 4, finished_at = updated_at, cancel_requested_at = created_at
        WHERE id = '\(Scene.paidAbroad)'
        """, payments: appending(kind: 3, cause: Scene.paidAbroad, amount: 60)),
    BrokenBooks(
      "a refund comes before its charge", ["refunds"], Scene.refunded, "before it was charged",
      payments: "UPDATE entries SET created_at = created_at - interval '1 hour' WHERE kind = 3"),
  ]
}
