import EventLoop
import JetStream
import Messaging
import TestSupport

/// A broker of a test's own, with the streams of the system.
enum EventBroker {
  /// Runs `body` with the URL of a broker whose streams `fill` has filled.
  static func with(
    fill: @escaping @Sendable (JetStreamClient) async throws -> Void, _ body: (_ url: String) async throws -> Void
  ) async throws {
    try await TestNATS.withServer { nats in
      try await connect(nats.url, fill)
      try await body(nats.url)
    }
  }

  /// Runs `body` with a connection to the broker at `url`, which may be starting still.
  @discardableResult
  static func connect<Result: Sendable>(
    _ url: String, _ body: @escaping @Sendable (JetStreamClient) async throws -> Result
  ) async throws -> Result {
    try await onLoop { loop in
      let options = JetStreamClient.Options(url: url, name: "gozon-test")
      let client = JetStreamClient(loop: loop, options: options, streams: EventStreams.all)
      return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        try await client.waitUntilReady(within: .seconds(30))
        let result = try await body(client)
        await client.close()
        return result
      }
    }
  }
}
