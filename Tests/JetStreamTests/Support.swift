import EventLoop
import Foundation
import TestSupport

@testable import JetStream

/// Runs `body` with a client of the server at `url` that is connected and has made `streams`.
func withClient(
  url: String, streams: [StreamConfiguration] = [],
  configure: @Sendable @escaping (inout JetStreamClient.Options) -> Void = { _ in },
  _ body: @escaping @Sendable (JetStreamClient) async throws -> Void
) async throws {
  try await onLoop { loop in
    var options = JetStreamClient.Options(url: url, name: "tests")
    configure(&options)
    let client = JetStreamClient(loop: loop, options: options, streams: streams)
    let run = loop.startTask { await client.run() }
    do {
      try await client.waitUntilReady(within: .seconds(20))
      try await body(client)
    } catch {
      await client.close()
      await run.value
      throw error
    }
    await client.close()
    await run.value
  }
}

/// A stream that no other test has.
struct Scene {
  let name: String
  var stream: StreamConfiguration

  init(_ name: String) {
    self.name = name + String(UInt32.random(in: 0...UInt32.max), radix: 36)
    stream = StreamConfiguration(name: self.name, subjects: ["\(self.name).>"])
  }

  func message(_ number: Int, id: String? = nil) -> OutgoingMessage {
    OutgoingMessage(
      subject: "\(name).created", messageID: id ?? "\(name)-\(number)", headers: ["number": "\(number)"],
      payload: Array("message \(number)".utf8))
  }
}

/// Tries `body` until it succeeds, for as long as `limit`.
func eventually<Result>(
  on loop: EventLoop, within limit: Duration = .seconds(20), _ body: () async throws -> Result
) async throws -> Result {
  let deadline = loop.now + limit
  while true {
    do {
      return try await body()
    } catch {
      if loop.now >= deadline { throw error }
      try await loop.sleep(for: .milliseconds(20))
    }
  }
}
