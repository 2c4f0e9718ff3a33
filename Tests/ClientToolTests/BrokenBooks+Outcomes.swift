import API
import Wire

/// Orders and charges that do not agree, and keys whose answers speak of nothing.
extension BrokenBooks {
  static let outcomes = [
    BrokenBooks(
      "a charge has no order", ["outcomes"], Scene.tooDear,
      "has a charge of 50 RUB (INSUFFICIENT_FUNDS), and there is no such order",
      orders: "DELETE FROM orders WHERE id = '\(Scene.tooDear)'; DELETE FROM outbox WHERE id = '\(Scene.tooDear)'"),
    BrokenBooks(
      "an order has its result without a charge", ["outcomes"], Scene.withoutAccount,
      "is CANCELLED for NO_ACCOUNT without a charge",
      payments: "DELETE FROM charges WHERE order_id = '\(Scene.withoutAccount)'"),
    BrokenBooks(
      "a charge is another user's", ["outcomes"], Scene.withoutAccount, "is of user \(Scene.stranger), and its charge",
      payments: "UPDATE charges SET user_id = '\(Scene.poor)' WHERE order_id = '\(Scene.withoutAccount)'"),
    BrokenBooks(
      "a charge is in another currency", ["outcomes"], Scene.tooDear, "costs 50 RUB, and its charge is of 50 USD",
      payments: "UPDATE charges SET currency = 'USD' WHERE order_id = '\(Scene.tooDear)'"),
    BrokenBooks(
      "an old order has another amount than its charge", ["outcomes"], Scene.tooDear,
      "costs 51 RUB, and its charge is of 50 RUB",
      orders: """
        UPDATE orders SET created_at = created_at - interval '1 day', updated_at = updated_at - interval '1 day',
          cancel_requested_at = cancel_requested_at - interval '1 day' WHERE status = 3;
        UPDATE orders SET amount = 51 WHERE id = '\(Scene.tooDear)'
        """, payments: "UPDATE charges SET settled_at = settled_at - interval '1 day' WHERE outcome <> 1"),
    BrokenBooks(
      "an order is cancelled for another reason", ["outcomes"], Scene.tooDear,
      "is CANCELLED for NO_ACCOUNT, and its charge is INSUFFICIENT_FUNDS",
      orders: "UPDATE orders SET reason = 2 WHERE id = '\(Scene.tooDear)'"),
    BrokenBooks(
      "an order is paid whose charge was refused", ["outcomes"], Scene.tooDear,
      "is FINISHED, and its charge is INSUFFICIENT_FUNDS",
      orders: "UPDATE orders SET status = 2, reason = NULL WHERE id = '\(Scene.tooDear)'"),
    BrokenBooks(
      "an order is refunded whose money is gone", ["outcomes"], Scene.paid,
      "is REFUNDED, and its charge was not given back",
      orders: """
        UPDATE orders SET status = 4, finished_at = updated_at, cancel_requested_at = created_at
        WHERE id = '\(Scene.paid)'
        """),
    BrokenBooks(
      "an order is NEW whose charge was decided long ago", ["outcomes"], Scene.paidAbroad,
      "is NEW, and its charge was decided (CHARGED)",
      orders: """
        UPDATE orders SET status = 1, created_at = now() - interval '30 seconds' WHERE id = '\(Scene.paidAbroad)';
        INSERT INTO resends (id, cancels, due_at) VALUES ('\(Scene.paidAbroad)', false, now())
        """,
      payments: "UPDATE charges SET settled_at = now() - interval '2 minutes' WHERE order_id = '\(Scene.paidAbroad)'"),
    BrokenBooks(
      "an order is paid whose refund was long ago", ["outcomes"], Scene.refunded, "is FINISHED, and was refunded at",
      orders: """
        UPDATE orders SET status = 2, finished_at = NULL WHERE id = '\(Scene.refunded)';
        INSERT INTO resends (id, cancels, due_at) VALUES ('\(Scene.refunded)', true, now())
        """,
      payments: """
        UPDATE entries SET created_at = now() - interval '2 minutes' WHERE kind = 3;
        UPDATE charges SET settled_at = now() - interval '3 minutes' WHERE order_id = '\(Scene.refunded)'
        """),
    BrokenBooks(
      "an order was cancelled that nobody wanted cancelled", ["outcomes"], Scene.takenBack,
      "is NEW, nobody wanted it cancelled, and its charge was CANCELLED",
      orders: """
        UPDATE orders SET status = 1, reason = NULL, cancel_requested_at = NULL WHERE id = '\(Scene.takenBack)'
        """),
    BrokenBooks(
      "an order has its result before its charge", ["outcomes"], Scene.tooDear, "and its charge was decided at",
      payments: """
        UPDATE charges SET settled_at = settled_at + interval '1 second' WHERE order_id = '\(Scene.tooDear)'
        """),
  ]

  static let keys = [
    BrokenBooks(
      "a key names an order that there is not", ["keys"], "lost", "is answered with order \(unknown)",
      orders: key("CreateOrder", Order(id: unknown, amount: 1).encoded())),
    BrokenBooks(
      "a key names a deposit that there is not", ["keys"], "lost", "is answered with deposit \(unknown)",
      payments: key("Deposit", Deposit(id: unknown, userId: Scene.rich, amount: 7).encoded())),
    BrokenBooks(
      "a key names an account that there is not", ["keys"], "lost", "is answered with the account of \(unknown)",
      payments: key("CreateAccount", Account(userId: unknown).encoded())),
    BrokenBooks(
      "a key's answer cannot be read", ["keys"], "lost", "has an answer of CreateOrder that cannot be read",
      orders: key("CreateOrder", [1, 2, 3])),
  ]
}
