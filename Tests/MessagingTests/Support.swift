import API
import EventLoop
import JSON
import JetStream
import Messaging
import Service
import TestSupport
import Wire

/// A broker of its own with the system's streams, and a client of it.
struct Scene: Sendable {
  let loop: EventLoop
  let broker: TestNATS
  let client: JetStreamClient
  let log = Log(service: "test", level: Level.error)

  private typealias Level = Log.Level

  /// Runs `body` with a broker that is ready.
  static func with(_ body: @escaping @Sendable (Scene) async throws -> Void) async throws {
    try await TestNATS.withServer { broker in
      try await onLoop { loop in
        let client = JetStreamClient(
          loop: loop, options: .init(url: broker.url, name: "tests"), streams: EventStreams.all)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { await client.run() }
          do {
            try await client.waitUntilReady(within: .seconds(20))
            try await body(Scene(loop: loop, broker: broker, client: client))
          } catch {
            await client.close()
            throw error
          }
          await client.close()
        }
      }
    }
  }

  /// Waits until `condition` holds.
  func until(
    _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
  ) async throws {
    let deadline = loop.now + limit
    while try await !condition() {
      if loop.now >= deadline { throw NotInTime(description: "not in time: \(what)") }
      try await loop.sleep(for: .milliseconds(10))
    }
  }

  struct NotInTime: Error, CustomStringConvertible { let description: String }

  /// Messages that a stream has.
  func count(_ stream: String) async throws -> Int64 {
    try await client.streamInfo(stream)["state"]?["messages"]?.integer ?? 0
  }
}

/// What happened so far.
// Confined to the loop of its test.
final class Book<Entry>: @unchecked Sendable {
  var entries: [Entry] = []
}

extension UUID {
  /// An id that nothing else has.
  static func random() -> UUID { UUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
}

/// An order on its way to be paid; of a user of its own unless one is given.
func event(_ amount: Int64, of user: UUID = .random(), traceparent: String? = nil) -> OutgoingEvent {
  let created = OrderCreated(orderId: .random(), userId: user, amount: amount, currency: "RUB", createdAt: .now)
  return OutgoingEvent(
    id: EventID.of(OrderCreated.fullName, orderID: created.orderId),
    subject: EventSubject.subject(EventSubject.orderCreated, of: created.userId), type: OrderCreated.fullName,
    orderID: created.orderId, userID: created.userId, traceparent: traceparent, payload: created.encoded())
}
