internal import EventLoop
internal import JetStream
internal import RPC

/// The broker as a command sees it.
enum Streams {
  /// Runs `body` with a connection to the broker, and closes it when that returns.
  ///
  /// - Throws: ``RPCError`` UNAVAILABLE when the broker cannot be reached within `timeout`; also what `body` throws.
  static func with<Result: Sendable>(
    url: String, timeout: Duration, on loop: EventLoop, _ body: (JetStreamClient) async throws -> Result
  ) async throws -> Result {
    var options = JetStreamClient.Options(url: url, name: "gozon")
    options.requestTimeout = timeout
    options.connection.connectTimeout = timeout
    let client = JetStreamClient(loop: loop, options: options)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await client.run() }
      do {
        try await connect(client, within: timeout, on: loop)
        let result = try await body(client)
        await client.close()
        return result
      } catch {
        await client.close()
        throw error
      }
    }
  }

  /// Waits for the first attempt to connect.
  private static func connect(_ client: JetStreamClient, within timeout: Duration, on loop: EventLoop) async throws {
    let untried = client.health.problem
    let deadline = loop.now + timeout
    while client.health.problem == untried, loop.now < deadline { try await loop.sleep(for: .milliseconds(1)) }
    guard client.health.isConnected else {
      let problem = client.health.problem ?? "no connection to NATS"
      throw RPCError(.unavailable, "\(problem); is the system up? run tools/up, or set --nats-url")
    }
  }
}
