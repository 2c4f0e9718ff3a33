/// Broken orders and questions about them.
extension BrokenBooks {
  static let timelines = [
    BrokenBooks(
      "an order changed before it was taken", ["timelines"], Scene.paid, "before it was taken",
      orders: "UPDATE orders SET created_at = updated_at + interval '1 second' WHERE id = '\(Scene.paid)'"),
    BrokenBooks(
      "a cancellation was asked for before the order", ["timelines"], Scene.takenBack, "was to be cancelled at",
      orders: """
        UPDATE orders SET cancel_requested_at = created_at - interval '1 second' WHERE id = '\(Scene.takenBack)'
        """),
    BrokenBooks(
      "an order is paid and has a reason", ["timelines"], Scene.paid, "has a reason (1), and is not CANCELLED",
      orders: "UPDATE orders SET reason = 1 WHERE id = '\(Scene.paid)'"),
    BrokenBooks(
      "an order is cancelled without a reason", ["timelines", "outcomes"], Scene.tooDear,
      "is CANCELLED without one of the reasons", orders: "UPDATE orders SET reason = NULL WHERE id = '\(Scene.tooDear)'"
    ),
    BrokenBooks(
      "a refunded order was never paid", ["timelines"], Scene.refunded, "does not say when it was paid",
      orders: "UPDATE orders SET finished_at = NULL WHERE id = '\(Scene.refunded)'"),
    BrokenBooks(
      "a paid order was paid before", ["timelines"], Scene.paid, "says that it was paid at",
      orders: "UPDATE orders SET finished_at = updated_at WHERE id = '\(Scene.paid)'"),
    BrokenBooks(
      "a refunded order was paid before it was taken", ["timelines"], Scene.refunded, "was paid at",
      orders: "UPDATE orders SET finished_at = created_at - interval '1 second' WHERE id = '\(Scene.refunded)'"),
    BrokenBooks(
      "an order was taken back that nobody asked for", ["timelines"], Scene.takenBack, "who never asked for that",
      orders: "UPDATE orders SET cancel_requested_at = NULL WHERE id = '\(Scene.takenBack)'"),
    BrokenBooks(
      "an order was taken back before it was asked for", ["timelines"], Scene.refunded, "before that was asked for",
      orders: """
        UPDATE orders SET cancel_requested_at = updated_at + interval '1 second' WHERE id = '\(Scene.refunded)'
        """),
    BrokenBooks(
      "an order has a status that there is not", ["timelines"], Scene.paid, "has the status 5",
      orders: "UPDATE orders SET status = 5 WHERE id = '\(Scene.paid)'"),
    BrokenBooks(
      "an order costs nothing", ["timelines"], Scene.asked, "costs 0 RUB",
      orders: "UPDATE orders SET amount = 0 WHERE id = '\(Scene.asked)'"),
  ]

  static let questions = [
    BrokenBooks(
      "an order is NEW for too long", ["answers"], Scene.asked, "is NEW since",
      orders: "UPDATE orders SET created_at = created_at - interval '1 minute' WHERE id = '\(Scene.asked)'"),
    BrokenBooks(
      "a cancellation is not answered for too long", ["answers"], Scene.beingCancelled, "there is no answer",
      orders: """
        UPDATE orders SET created_at = now() - interval '3 minutes', cancel_requested_at = now() - interval '2 minutes'
        WHERE id = '\(Scene.beingCancelled)'
        """),
    BrokenBooks(
      "nobody asks for a payment", ["questions"], Scene.asked, "nobody asks for its payment",
      orders: "DELETE FROM resends WHERE id = '\(Scene.asked)'; DELETE FROM outbox WHERE id = '\(Scene.asked)'"),
    BrokenBooks(
      "nobody asks for a cancellation", ["questions"], Scene.beingCancelled, "nobody asks for that",
      orders: "UPDATE resends SET cancels = false WHERE id = '\(Scene.beingCancelled)'"),
    BrokenBooks(
      "an order is asked about that there is not", ["strays"], unknown, "is in resends, and there is no such order",
      orders: "INSERT INTO resends (id, cancels, due_at) VALUES ('\(unknown)', false, now())"),
    BrokenBooks(
      "an order is to be sent that there is not", ["strays"], unknown, "is in outbox, and there is no such order",
      orders: "INSERT INTO outbox (slot, id) VALUES (3, '\(unknown)')"),
  ]
}
