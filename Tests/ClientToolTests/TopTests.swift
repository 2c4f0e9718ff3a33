import EventLoop
import JetStream
import JSON
import RPC
import Service
import Testing

@testable import ClientTool

@Suite struct TopTests {
  private static func classes(_ counts: [Int: UInt64]) -> [UInt64] { (0..<27).map { counts[$0] ?? 0 } }

  private static func method(
    _ name: String, ok: UInt64, failed: UInt64 = 0, _ durations: [Int: UInt64] = [:]
  ) -> MethodInfo {
    MethodInfo(
      name: name, started: ok + failed, active: 1,
      ended: [StatusCount(status: .ok, count: ok), StatusCount(status: .internal, count: failed)],
      durations: classes(durations))
  }

  private static func sample(at seconds: UInt64, _ methods: [MethodInfo]) throws -> TopSample {
    TopSample(
      address: try #require(Address("h:1")), time: LoopInstant(nanoseconds: seconds * 1_000_000_000),
      answer: .success(InspectResponse(server: "s", methods: methods)))
  }

  @Test func `quantiles are taken from what came between two samples`() {
    // Before: 100 calls below 2 µs. Since then 90 from 512 to 1024 µs and 10 from 8192 to 16384 µs.
    let (earlier, later) = (Self.classes([1: 100]), Self.classes([1: 100, 10: 90, 14: 10]))
    let classes = DurationClasses(later, since: earlier)
    #expect(classes.total == 100)
    #expect(classes.quantile(0.9) == 1_024)
    #expect(classes.quantile(0.45) == 768, "half of the class is passed")
    #expect((classes.quantile(0.99) ?? 0) > 8_192 && (classes.quantile(0.99) ?? 0) < 16_384)
    #expect(DurationClasses(earlier, since: earlier).quantile(0.5) == nil)
  }

  @Test func `a server that was started anew counts from nothing`() {
    #expect(DurationClasses(Self.classes([3: 5]), since: Self.classes([3: 100])).total == 5)
    let method = TopMethod(server: "s", Self.method("m", ok: 5), since: Self.method("m", ok: 100), seconds: 1)
    #expect(method.callsPerSecond == 5)
  }

  @Test func `a caller who gave up is no error`() {
    let method = MethodInfo(
      name: "m", ended: [StatusCount(status: .cancelled, count: 3), StatusCount(status: .unavailable, count: 2)])
    let top = TopMethod(server: "s", method, since: nil, seconds: 1)
    #expect(top.total == 5 && top.errors == 2)
  }

  @Test func `rates are per second, and the busiest method comes first`() throws {
    let earlier = try Self.sample(at: 10, [Self.method("p.A/X", ok: 10), Self.method("p.A/Y", ok: 0)])
    let later = try Self.sample(
      at: 12, [Self.method("p.A/X", ok: 14), Self.method("p.A/Y", ok: 90, failed: 10, [10: 100])])
    let snapshot = TopSnapshot([later], since: [earlier], by: .calls)
    #expect(snapshot.methods.map(\.name) == ["p.A/Y", "p.A/X"])
    #expect(snapshot.methods.map(\.callsPerSecond) == [50, 2])
    #expect(snapshot.methods[0].errorsPerSecond == 5 && snapshot.methods[0].p50 == 768)
    #expect(TopSnapshot([later], since: [earlier], by: .name).methods.map(\.name) == ["p.A/X", "p.A/Y"])
    #expect(TopSnapshot([later], since: [], by: .calls).methods.allSatisfy { $0.callsPerSecond == 0 })
    let lines = snapshot.lines(rowsMax: 5)
    #expect(lines.contains { $0.hasPrefix("A.Y") && $0.contains("50.0") && $0.contains("5.0") }, "\(lines)")
  }

  @Test func `gauges stand beside each other, in units that people read`() throws {
    func sample(_ server: String, _ port: Int, _ gauges: [(String, Double)]) throws -> TopSample {
      TopSample(
        address: try #require(Address("h:\(port)")), time: LoopInstant(nanoseconds: 0),
        answer: .success(
          InspectResponse(
            server: server, gauges: gauges.map { Gauge(name: "gozon_\($0.0)", help: "", value: $0.1) })))
    }
    let snapshot = TopSnapshot(
      [
        try sample("orders", 1, [("outbox_oldest_seconds", 1.5), ("outbox_bytes", 2_048)]),
        try sample("orders", 2, [("outbox_oldest_seconds", 0)]), try sample("payments", 3, [("lanes_held", 64)]),
        try sample("other", 4, []),
      ], since: [], by: .calls)
    let lines = snapshot.lines(rowsMax: 5)
    let start = try #require(lines.firstIndex { $0.hasPrefix("GAUGE") })
    #expect(
      lines[start...].prefix(4).map { $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ") }
        == [
          "GAUGE orders h:1 orders h:2 payments", "outbox_oldest_seconds 1.50 s 0 -", "outbox_bytes 2.0 KiB - -",
          "lanes_held - - 64",
        ])
    #expect(snapshot.json["servers"]?.array?[0]["gauges"]?["gozon_outbox_bytes"] == .number(2_048))
  }

  @Test func `what the server tells is shown once, as text and as JSON`() async throws {
    try await withProbe { environment in
      let text = await gozon("top", "--once", "--interval", "20ms", environment: environment)
      #expect(text.status == 0 && text.lines[0].hasPrefix("SERVER") && text.lines[1].contains("gozon-probe"))
      #expect(text.output.contains("Server.Inspect") && text.output.contains("  gozon  "), "the client has its name")
      let json = await gozon("top", "--once", "--json", "--interval", "20ms", environment: environment)
      let document = try JSONValue(parsing: Array(json.output.utf8).span)
      #expect(document["servers"]?.array?.first?["state"]?.string == "RUNNING" && json.lines.count == 1)
    }
    let away = await gozon("top", "--once", "--interval", "20ms", environment: ["GOZON_BACKENDS": "127.0.0.1:1"])
    #expect(away.status == 78 && away.output.contains("UNREACHABLE"))
    #expect(await gozon("top", "--sort", "colour").errors.contains("calls, errors, p99, active, name"))
  }

  @Test func `without --once it goes on until Ctrl-C`() async throws {
    try await withProbe { environment in
      let test = TestInterrupts()
      let count = Locked(0)
      let run = await gozon(
        ["top", "--json", "--interval", "10ms"], environment: environment, interrupts: test.interrupts
      ) { _ in
        count.withLock { $0 += 1 }
        if count.withLock({ $0 }) == 3 { test.fire() }
      }
      #expect(run.status == 0 && run.lines.count == 3)
    }
  }

  @Test func `a screen is cut to its size, and given back`() async {
    let text = Locked("")
    let terminal = Terminal(
      output: { written in text.withLock { $0 += written } }, errors: { _ in },
      size: { Terminal.ScreenSize(rows: 3, columns: 5) })
    await Screen.with(terminal) { $0.draw(["heading", "", "A\u{1B}B", "never"]) }
    let bold = "\u{1B}[1mheadi\u{1B}[0m\u{1B}[K"
    #expect(
      text.withLock { $0 }
        == "\u{1B}[?1049h\u{1B}[?25l\u{1B}[H\u{1B}[H\(bold)\r\n\u{1B}[K\r\n\u{1B}[1mA\u{FFFD}B\u{1B}[0m\u{1B}[K\u{1B}[J"
        + "\u{1B}[?25h\u{1B}[?1049l")
  }
}
