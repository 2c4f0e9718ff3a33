import API
import EventLoop
import Foundation
import JetStream
import JSON
import Probe
import RPC
import TestSupport
import Testing

@testable import ClientTool

/// `gozon call` in every shape, against the probe service.
@Suite struct CallTests {
  private static func pieces(_ count: Int) -> String {
    (0..<count).map { #"{"number":\#($0),"payload":"aGk="}"# + "\n" }.joined()
  }

  @Test func `the responses of a stream are lines`() async throws {
    try await withProbe { environment in
      let request = #"{"count":3,"size":2,"intervalMilliseconds":0}"#
      let run = await gozon("call", "Probe.Produce", request, environment: environment)
      #expect(run.status == 0 && run.errors.isEmpty)
      #expect(run.lines == (0..<3).map { #"{"number":\#($0),"payload":"cHA="}"# })
    }
  }

  @Test func `a stream that fails keeps what came, and ends with its status`() async throws {
    try await withProbe { environment in
      let request = #"{"count":2,"size":0,"intervalMilliseconds":0,"status":9}"#
      let run = await gozon("call", "Probe.Produce", request, environment: environment)
      #expect(run.status == 73 && run.lines.count == 2 && run.errors.contains("FAILED_PRECONDITION"))
      let json = await gozon("call", "Probe.Produce", request, "--json", environment: environment)
      #expect(json.lines.count == 3 && json.lines[2].hasPrefix(#"{"error":{"code":"FAILED_PRECONDITION""#))
    }
  }

  @Test func `requests of a stream come from the pipe, from a file, or from the argument`() async throws {
    try await withProbe { environment in
      let piped = await gozon("call", "Probe.Consume", environment: environment, input: Self.pieces(1_000))
      #expect(piped.output == "{\"count\":1000,\"bytes\":2000}\n")
      let file = FileManager.default.temporaryDirectory.appendingPathComponent("pieces-\(UUID()).ndjson")
      defer { try? FileManager.default.removeItem(at: file) }
      try Data(Self.pieces(3).utf8).write(to: file)
      let filed = await gozon("call", "Probe.Echo", "@\(file.path)", environment: environment)
      #expect(filed.output == Self.pieces(3))
      let given = await gozon("call", "Probe.Echo", Self.pieces(2), environment: environment)
      #expect(given.output == Self.pieces(2))
      let none = await gozon("call", "Probe.Consume", "@/no/such/file", environment: environment)
      #expect(none.status == 67 && none.errors.contains("cannot read /no/such/file"))
    }
  }

  @Test func `a request of a stream that is wrong is named, and ends the call`() async throws {
    try await withProbe { environment in
      let run = await gozon(
        "call", "Probe.Consume", environment: environment, input: Self.pieces(2) + #"{"number":-1,"payload":""}"#)
      #expect(run.status == 67 && run.output.isEmpty && run.errors.contains("request 3: /number"))
    }
  }

  @Test func `lines of requests are calls over one connection, answered in order`() async throws {
    try await withProbe { environment in
      let requests = (0..<40).map { place in
        let last = place == 20 ? #","status":5"# : ""
        return
          #"{"payload":"\#(Data("\(place)".utf8).base64EncodedString())","delayMilliseconds":\#(place % 3)\#(last)}"#
      }
      let run = await gozon(
        "call", "Probe.Ask", "--concurrency", "7", environment: environment, input: requests.joined(separator: "\n"))
      #expect(run.status == 69 && run.lines.count == 40)
      for (place, line) in run.lines.enumerated() {
        let answer = try JSONValue(parsing: Array(line.utf8).span)
        if place == 20 {
          #expect(answer["error"]?["code"]?.string == "NOT_FOUND")
        } else {
          #expect(answer["payload"]?.string == Data("\(place)".utf8).base64EncodedString())
        }
      }
    }
  }

  @Test func `lines of requests to a method of streams are calls one after the other`() async throws {
    try await withProbe { environment in
      let requests = [1, 2].map { #"{"count":\#($0),"size":0,"intervalMilliseconds":0}"# }.joined(separator: "\n")
      let run = await gozon("call", "Probe.Produce", environment: environment, input: requests)
      #expect(run.status == 0)
      #expect(run.lines == [0, 0, 1].map { #"{"number":\#($0),"payload":""}"# })
    }
  }

  @Test(arguments: [
    ("Probe.Produce", #"{"count":1000000000,"size":1,"intervalMilliseconds":1}"#),
    ("Probe.Ask", #"{"payload":"","delayMilliseconds":60000}"#),
  ])
  func `Ctrl-C gives the call up, keeps what came, and exits with CANCELLED`(method: String, request: String)
    async throws
  {
    try await withProbe { environment in
      let test = TestInterrupts()
      let isStream = method == "Probe.Produce"
      let line = "call \(method) \(request) -v".split(separator: " ").map(String.init)
      let run = await gozon(line, environment: environment, interrupts: test.interrupts) { text in
        // The first message of the stream, or the remark that the call is made, is the moment.
        if text.hasPrefix(isStream ? "{" : ">") { test.fire() }
      }
      #expect(run.status == 65 && run.errors.hasSuffix("CANCELLED: interrupted\n"), "\(run)")
      #expect(run.lines.isEmpty != isStream)
      let left = await gozon("top", "--once", "--json", "--interval", "10ms", environment: environment)
      let calls = try JSONValue(parsing: Array(left.output.utf8).span)["calls"]?.array
      #expect(calls?.isEmpty == true, "the server goes on: \(left.output)")
    }
  }

  @Test func `a server that reads slowly slows the reading of the input`() async throws {
    let gate = Gate()
    try await withProbe(WatchedProbe(beforeConsume: gate.untilOpen)) { environment in
      let written = Locked(0)
      let line = #"{"number":1,"payload":"\#(String(repeating: "A", count: 9_996))"}"# + "\n"
      let pipe = Pipe()
      Thread.detachNewThread {
        for _ in 0..<2_000 {
          pipe.fileHandleForWriting.write(Data(line.utf8))
          written.withLock { $0 += line.utf8.count }
        }
        try? pipe.fileHandleForWriting.close()
      }
      Thread.detachNewThread {
        // Until nothing moves any more: what was taken is all that is ever held.
        var last = -1
        while last != written.withLock({ $0 }) {
          last = written.withLock { $0 }
          usleep(300_000)
        }
        gate.open(after: last)
      }
      let path = "/dev/fd/\(pipe.fileHandleForReading.fileDescriptor)"
      let run = await gozon("call", "Probe.Consume", "@\(path)", environment: environment)
      withExtendedLifetime(pipe) {}
      #expect(run.output.hasPrefix(#"{"count":2000,"#), "\(run)")
      let held = gate.amount
      #expect(held < 2 << 20, "\(held) bytes were read for a server that read nothing")
    }
  }

  @Test func `verbose tells metadata and timing on standard error`() async throws {
    try await withProbe { environment in
      let run = await gozon(
        "call", "Probe.Ask", #"{"payload":"","delayMilliseconds":0}"#, "--metadata", "note=hello", "-v",
        environment: environment)
      #expect(run.lines.count == 1 && run.output.contains(#""metadata":["note","hello"]"#))
      #expect(run.errors.contains("> gozon.probe.Probe/Ask, unary, to gozon-probe at 127.0.0.1:"))
      #expect(run.errors.contains("> note: hello\n< OK after "))
      let stream = await gozon("call", "Probe.Echo", "-v", environment: environment, input: Self.pieces(5))
      #expect(stream.errors.contains(", sent 5, received 5, the first after "))
    }
  }

  @Test func `a time-out is the call's, and says how to get more`() async throws {
    try await withProbe { environment in
      let run = await gozon(
        "call", "Probe.Ask", #"{"payload":"","delayMilliseconds":60000}"#, "--timeout", "50ms",
        environment: environment)
      #expect(run.status == 68 && run.errors.contains("--timeout"))
    }
    #expect(await gozon("call", "A.B", "--timeout", "2h").status == 2)
  }

  @Test func `wait-for-ready waits for a server that is not there yet`() async throws {
    let port = try await onLoop { loop in
      let listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { _ in }
      defer { listener.close() }
      return listener.port
    }
    let environment = ["GOZON_BACKENDS": "127.0.0.1:\(port)"]
    let request = #"{"payload":"","delayMilliseconds":0}"#
    #expect(await gozon("call", "Probe.Ask", request, environment: environment).status == 78)
    let waiting = Task { await gozon("call", "Probe.Ask", request, "--wait-for-ready", environment: environment) }
    try await onLoop { loop in
      try await loop.sleep(for: .milliseconds(100))
      let server = try RPCServer(
        loop: loop, name: "late", host: "127.0.0.1", port: port, services: [ProbeImplementation().definition])
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await server.run() }
        #expect(await waiting.value.status == 0)
        group.cancelAll()
      }
    }
  }
}

/// Opens once, and remembers when.
private final class Gate: Sendable {
  private let opened = Locked<Int?>(nil)

  /// Opens when `amount` had been let through in front of it.
  func open(after amount: Int) { opened.withLock { $0 = amount } }

  func untilOpen(_ context: CallContext) async throws {
    while opened.withLock({ $0 }) == nil { try await context.loop.sleep(for: .milliseconds(5)) }
  }

  var amount: Int { opened.withLock { $0 } ?? 0 }
}
