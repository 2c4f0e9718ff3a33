import API
import EventLoop
import JetStream
import JSON
import Messaging
import Postgres
import TestSupport
import Testing
import Wire

@testable import ClientTool
@testable import Orders

/// `gozon order` on databases and a broker of its own.
@Suite struct OrderCommandTests {
  private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  /// Runs `body` with a system in which the messages of some orders were sent.
  private static func withSystem(
    _ body: @escaping @Sendable (_ scene: BooksScene, _ environment: [String: String]) async throws -> Void
  ) async throws {
    let scene = try await BooksScene.make()
    try await EventBroker.with(fill: { try await publish($0, scene) }) { url in
      try await withServer { environment in
        try await body(scene, environment.merging(scene.environment) { $1 }.merging(["GOZON_NATS_URL": url]) { $1 })
      }
    }
  }

  /// Sends what was told of ``BooksScene/refunded`` and of another order of its user, and has some of it processed.
  private static func publish(_ client: JetStreamClient, _ scene: BooksScene) async throws {
    let (refunded, other) = try await TestDatabase.withPool(scene.ordersURL, service: "orders", on: client.loop) {
      pool in
      let orders = try await OrderStore(pool).orders([BooksScene.refunded, BooksScene.paid])
      return (try #require(orders[BooksScene.refunded]), try #require(orders[BooksScene.paid]))
    }
    let asked = [other.created.event(traceparent: nil), refunded.created.event(traceparent: trace)]
    for event in asked { _ = try await client.publish(event.message) }
    let settled = OrderSettled(
      orderId: refunded.id, userId: refunded.userId, outcome: .charged, settledAt: refunded.updatedAt)
    _ = try await client.publish(
      OutgoingEvent(
        id: "1", subject: EventSubject.subject(EventSubject.orderSettled, of: refunded.userId),
        type: OrderSettled.fullName, orderID: refunded.id, userID: refunded.userId, traceparent: trace,
        payload: settled.encoded()
      ).message)
    _ = try await client.publish(refunded.cancelled.event(traceparent: nil).message)
    // By hand, without a header that names the order.
    let lane = EventSubject.lane(of: refunded.userId)
    _ = try await client.publish(
      OutgoingMessage(
        subject: "dead.orders.created.\(lane)", messageID: "ORDERS.7", headers: [DeadLetter.reasonHeader: "no good"],
        payload: refunded.created.encoded() + [1]))
    let created = try #require(try await client.streamInfo("ORDERS")["created"]?.string)
    try await scene.damage(
      "payments", "UPDATE lanes SET stream = '\(created)', sequence = 2 WHERE lane = \(lane)")
  }

  @Test func `everything is told in the order of time`() async throws {
    try await Self.withSystem { _, environment async throws in
      let run = await gozon("order", "\(BooksScene.refunded)", "--timeout", "60s", environment: environment)
      #expect(run.status == 0 && run.errors.isEmpty, "\(run)")
      #expect(run.output.contains("status  REFUNDED\nuser    \(BooksScene.rich)\namount  200 RUB\n"))
      #expect(run.output.contains("charge  CHARGED, 200 RUB\ntrace   0af7651916cd43dd8448eb211c80319c\n"))
      let table = run.lines.drop { !$0.hasPrefix("TIME") }.dropFirst()
      let times = table.map { String($0.prefix(27)) }
      #expect(times == times.sorted() && times.count == 11, "\(run.output)")
      func line(_ words: String...) -> Substring? { table.first { line in words.allSatisfy { line.contains($0) } } }
      #expect(line("ORDERS 2", "OrderCreated", "  yes ", #"{"amount":200,"currency":"RUB","#) != nil, "\(run.output)")
      #expect(line("ORDERS 3", "OrderCancelled", "  no ") != nil)
      #expect(line("PAYMENTS 1", "OrderSettled", "  no ", #""outcome":"CHARGED""#) != nil)
      #expect(line("DEAD 1", "no good: ") != nil)
      #expect(line("payments", "entry 3", "CHARGE -200, which leaves 700") != nil)
      #expect(line("payments", "REFUND 200") != nil && line("orders", "REFUNDED") != nil)
      #expect(!run.output.contains("ORDERS 1 "), "another order's message")
    }
  }

  @Test func `for machines it is one document`() async throws {
    try await Self.withSystem { _, environment async throws in
      let run = await gozon(
        "order", "\(BooksScene.refunded)", "--json", "--timeout", "60s", environment: environment)
      let document = try JSONValue(parsing: Array(run.output.utf8).span)
      #expect(run.status == 0 && document["order"]?["status"]?.string == "REFUNDED")
      let kinds = document["timeline"]?.array?.map { $0["kind"]?.string }
      #expect(kinds?.first == "CREATED" && kinds?.last == "REFUNDED" && kinds?.count == 4)
      #expect(document["entries"]?.array?.map { $0["amount"]?.integer } == [-200, 200])
      let messages = try #require(document["messages"]?.array)
      try #require(messages.map { $0["stream"]?.string } == ["ORDERS", "ORDERS", "PAYMENTS", "DEAD"])
      #expect(messages.map { $0["isProcessed"]?.bool } == [true, false, false, nil])
      #expect(messages[0]["headers"]?["traceparent"]?.string == Self.trace)
      #expect(messages[0]["message"]?["amount"]?.integer == 200)
    }
  }

  @Test func `what payments is asked is told`() async throws {
    let scene = try await BooksScene.make()
    for (order, text) in [
      (BooksScene.new, "payments is asked to charge it, just now"),
      (BooksScene.asked, "payments is asked to charge it, not again yet, next at 2"),
      (BooksScene.beingCancelled, "payments is asked to cancel it, not again yet, next at 2"),
    ] {
      let run = await gozon("order", "\(order)", "--nats-url", "nats://127.0.0.1:1", environment: scene.environment)
      #expect(run.output.contains("waiting  \(text)"), "\(run.output)")
    }
  }

  @Test func `what cannot be reached is said, and the rest is shown`() async throws {
    try await Self.withSystem { scene, environment async throws in
      let id = "\(BooksScene.refunded)"
      let noBroker = await gozon("order", id, "--nats-url", "nats://127.0.0.1:1", environment: environment)
      #expect(noBroker.status == 78 && noBroker.errors.contains("no connection to NATS"))
      #expect(noBroker.lines.count == 5 + 8, "\(noBroker.output)")
      let noOrders = environment.merging(["GOZON_DATABASE_URL_ORDERS": ""]) { $1 }
      let payments = await gozon("order", id, environment: noOrders)
      #expect(payments.status == 78 && payments.errors.contains("set --database-url-orders"))
      #expect(payments.output.contains("charge  CHARGED, 200 RUB, of user \(BooksScene.rich)\n"))
      #expect(payments.output.contains("ORDERS 2"), "\(payments.output)")
      let alone = await gozon("order", id)
      #expect(alone.status == 78 && alone.output.isEmpty)
      let noServices = environment.merging(["GOZON_BACKENDS": "127.0.0.1:1"]) { $1 }
      let undecoded = await gozon("order", id, environment: noServices)
      #expect(undecoded.status == 0 && undecoded.output.contains("no server that answers knows gozon.events.Order"))
    }
  }

  @Test func `an order that there is not is NOT_FOUND`() async throws {
    let scene = try await BooksScene.make()
    let run = await gozon("order", "\(BrokenBooks.unknown)", environment: scene.environment)
    #expect(run.status == 69 && run.errors.contains("no order has the id \(BrokenBooks.unknown)"))
    #expect(await gozon("order", "17", environment: scene.environment).status == 2)
  }
}
