import API
import EventLoop
import JetStream
import JSON
import TestSupport
import Testing
import Wire

@testable import ClientTool

/// The stream commands against a real broker.
@Suite struct StreamCommandTests {
  /// A stream of its own with two events and something else in it.
  private static func withStream(
    _ body: @escaping @Sendable (_ name: String, _ environment: [String: String]) async throws -> Void
  ) async throws {
    let url = try TestNATS.sharedURL()
    let name = "TOOL_\(UInt32.random(in: 0...UInt32.max))"
    try await withServer { environment in
      try await onLoop { loop in
        try await Streams.with(url: url, timeout: .seconds(30), on: loop) { client in
          try await client.ensureStream(StreamConfiguration(name: name, subjects: ["\(name).>"]))
          for number in 1...2 {
            let event = OrderCreated(
              orderId: UUID(high: 0, low: UInt64(number)), userId: .zero, amount: Int64(number) * 10, currency: "RUB")
            _ = try await client.publish(
              OutgoingMessage(
                subject: "\(name).created.\(number)", messageID: "\(number)",
                headers: ["Gozon-Type": OrderCreated.fullName], payload: event.encoded()))
          }
          _ = try await client.publish(
            OutgoingMessage(subject: "\(name).other", messageID: "3", headers: [:], payload: [1, 2, 255]))
        }
      }
      try await body(name, environment.merging(["GOZON_NATS_URL": url]) { $1 })
      try await onLoop { loop in
        try await Streams.with(url: url, timeout: .seconds(30), on: loop) { try await $0.deleteStream(name) }
      }
    }
  }

  @Test func `ls and info tell how a stream stands`() async throws {
    try await Self.withStream { name, environment async throws in
      let list = await gozon("stream", "ls", environment: environment)
      #expect(list.status == 0 && list.lines.contains { $0.hasPrefix(name) && $0.contains("\(name).>") })
      let info = await gozon("stream", "info", name, environment: environment)
      #expect(info.status == 0 && info.output.contains("messages          3") && info.output.contains("no consumers"))
      let json = await gozon("stream", "info", name, "--json", environment: environment)
      #expect(try JSONValue(parsing: Array(json.output.utf8).span)["state"]?["messages"]?.integer == 3)
      #expect(await gozon("stream", "info", "NOPE", environment: environment).status == 69)
    }
  }

  @Test func `view decodes messages by the schema that their header names`() async throws {
    try await Self.withStream { name, environment async throws in
      let view = await gozon("stream", "view", name, environment: environment)
      #expect(view.status == 0 && view.lines.count == 4)
      #expect(view.lines[1].contains("gozon.events.OrderCreated") && view.lines[1].contains(#""amount":10"#))
      #expect(view.lines[3].hasSuffix("3 bytes; no header Gozon-Type"))
      let json = await gozon("stream", "view", name, "--json", environment: environment)
      let lines = try json.lines.map { try JSONValue(parsing: Array($0.utf8).span) }
      #expect(lines.count == 3 && lines[1]["message"]?["amount"]?.integer == 20)
      #expect(lines[1]["headers"]?["Gozon-Type"]?.string == "gozon.events.OrderCreated")
      #expect(lines[2]["payloadHex"]?.string == "0102ff" && lines[2]["sequence"]?.integer == 3)
    }
  }

  @Test func `view is bounded by sequence, subject and number`() async throws {
    try await Self.withStream { name, environment async throws in
      func sequences(_ options: String...) async throws -> [Int64?] {
        let words = ["stream", "view", name, "--json"] + options
        let run = await gozon(words, environment: environment)
        return try run.lines.map { try JSONValue(parsing: Array($0.utf8).span)["sequence"]?.integer }
      }
      #expect(try await sequences("--limit", "1") == [3])
      #expect(try await sequences("--limit", "2", "--from", "1") == [1, 2])
      #expect(try await sequences("--from", "-2") == [2, 3])
      #expect(try await sequences("--from", "-100") == [1, 2, 3])
      #expect(try await sequences("--from", "4") == [])
      #expect(try await sequences("--subject", "\(name).created.*", "--limit", "1") == [1])
      #expect(try await sequences("--subject", "\(name).other") == [3])
    }
  }

  @Test func `without a schema a message is shown by its size`() async throws {
    try await Self.withStream { name, environment async throws in
      let alone = environment.merging(["GOZON_BACKENDS": "127.0.0.1:1"]) { $1 }
      let view = await gozon("stream", "view", name, environment: alone)
      #expect(view.status == 0 && view.errors.contains("127.0.0.1:1"))
      #expect(view.lines[1].contains("no server that answers knows gozon.events.OrderCreated"))
    }
  }

  @Test func `no broker is UNAVAILABLE, with what to do`() async {
    let run = await gozon("stream", "ls", "--nats-url", "nats://127.0.0.1:1")
    #expect(run.status == 78 && run.errors.contains("run tools/up, or set --nats-url"))
  }
}
