import API
import EventLoop
import JetStream
import JSON
import Messaging
import TestSupport
import Testing
import Wire

@testable import ClientTool

/// The commands on dead letters against a broker of its own.
@Suite struct DeadCommandTests {
  private static let order = OrderCreated(
    orderId: UUID(high: 1, low: 1), userId: UUID(high: 1, low: 2), amount: 7, currency: "RUB")

  /// Runs `body` with three letters: one that can be read, one that cannot, and one that was cut.
  private static func withLetters(
    _ body: @escaping @Sendable (_ url: String, _ environment: [String: String]) async throws -> Void
  ) async throws {
    try await EventBroker.with(fill: { try await bury($0) }) { url in
      try await withServer { try await body(url, $0.merging(["GOZON_NATS_URL": url]) { $1 }) }
    }
  }

  private static func bury(_ client: JetStreamClient) async throws {
    let readable = letter(7, [("Gozon-Type", OrderCreated.fullName), ("Gozon-Order", "\(order.orderId)")])
    for (number, headers, payload) in [
      (7, readable, order.encoded()), (8, letter(8, []), [1, 2, 255]), (9, letter(9, [("Gozon-Size", "99")]), [1]),
    ] {
      _ = try await client.publish(
        OutgoingMessage(
          subject: "dead.orders.created.3", messageID: "ORDERS.\(number)", headers: headers, payload: payload))
    }
  }

  private static func letter(_ number: Int, _ others: [(String, String)]) -> MessageHeaders {
    var headers: MessageHeaders = [
      "Gozon-Reason": "no good", "Gozon-Stream": "ORDERS", "Gozon-Sequence": "\(number)", "traceparent": "t",
    ]
    for (name, value) in others { headers.append(name, value) }
    return headers
  }

  private static func count(_ url: String, _ stream: String) async throws -> Int64? {
    try await EventBroker.connect(url) { try await $0.streamInfo(stream)["state"]?["messages"]?.integer }
  }

  @Test func `ls tells each letter's reason`() async throws {
    try await Self.withLetters { _, environment async throws in
      let list = await gozon("dead", "ls", environment: environment)
      #expect(list.status == 0 && list.lines.count == 4)
      let words = list.lines[1].split(separator: " ", omittingEmptySubsequences: true)
      #expect(words.prefix(1) == ["1"] && words.dropFirst(2).prefix(3) == ["ORDERS", "7", "orders.created.3"])
      #expect(list.lines[1].hasSuffix("gozon.events.OrderCreated  \(Self.order.orderId)  no good"))
      let json = await gozon("dead", "ls", "--json", environment: environment)
      let first = try JSONValue(parsing: Array(json.lines[0].utf8).span)
      #expect(json.lines.count == 3 && first["from"]?.string == "ORDERS 7" && first["reason"]?.string == "no good")
    }
  }

  @Test func `show decodes what it can, and shows the bytes of the rest`() async throws {
    try await Self.withLetters { _, environment async throws in
      let readable = await gozon("dead", "show", "1", environment: environment)
      #expect(readable.status == 0 && readable.output.hasPrefix("orders.created.3, dead since 2"))
      #expect(readable.lines.contains("Gozon-Reason    no good") && readable.output.contains(#""amount":7"#))
      let unreadable = await gozon("dead", "show", "2", environment: environment)
      #expect(unreadable.output.hasSuffix("3 bytes; no header Gozon-Type\n0102ff\n"))
      let json = await gozon("dead", "show", "2", "--json", environment: environment)
      #expect(try JSONValue(parsing: Array(json.output.utf8).span)["payloadHex"]?.string == "0102ff")
      #expect(await gozon("dead", "show", "9", environment: environment).status == 69)
      #expect(await gozon("dead", "show", "x", environment: environment).status == 2)
    }
  }

  @Test func `replay sends a letter where it came from and removes it`() async throws {
    try await Self.withLetters { url, environment async throws in
      let run = await gozon("dead", "replay", "1", environment: environment)
      #expect(run.status == 0, "\(run)")
      #expect(run.output == "dead letter 1 is replayed as ORDERS 1, on orders.created.3\n")
      #expect(try await Self.count(url, "DEAD") == 2)
      let message = try await EventBroker.connect(url) { try await $0.message(stream: "ORDERS", sequence: 1) }
      #expect(message.subject == "orders.created.3" && message.payload == Self.order.encoded())
      let headers = message.headers.entries.map(\.name).sorted()
      #expect(headers == ["Gozon-Order", "Gozon-Type", "Nats-Msg-Id", "traceparent"])
      #expect(message.headers["Nats-Msg-Id"] == "ORDERS.7.replayed")
      let again = await gozon("dead", "replay", "1", environment: environment)
      #expect(again.status == 69 && again.errors.contains("there is no dead letter 1"))
    }
  }

  @Test func `a letter that is kept and replayed at once twice is sent once`() async throws {
    try await Self.withLetters { url, environment async throws in
      _ = await gozon("dead", "replay", "1", "--keep", environment: environment)
      #expect(try await Self.count(url, "DEAD") == 3)
      let again = await gozon("dead", "replay", "1", environment: environment)
      #expect(again.output == "dead letter 1 was replayed before as ORDERS 1, on orders.created.3\n")
      #expect(try await Self.count(url, "DEAD") == 2)
      #expect(try await Self.count(url, "ORDERS") == 1)
    }
  }

  @Test func `all are replayed but those that were cut`() async throws {
    try await Self.withLetters { url, environment async throws in
      let run = await gozon("dead", "replay", "--all", environment: environment)
      #expect(run.status == 73 && run.lines.count == 2)
      #expect(run.errors == "gozon: dead letter 3 is not replayed: only 1 of its 99 bytes were kept\n")
      #expect(try await Self.count(url, "DEAD") == 1)
      #expect(try await Self.count(url, "ORDERS") == 2)
      #expect(await gozon("dead", "replay", environment: environment).status == 2)
      #expect(await gozon("dead", "replay", "--all", "3", environment: environment).status == 2)
    }
  }
}
