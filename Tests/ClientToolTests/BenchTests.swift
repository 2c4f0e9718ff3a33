import EventLoop
import Foundation
import JetStream
import JSON
import Probe
import RPC
import TestSupport
import Testing

@testable import ClientTool

/// `gozon bench` against the probe service.
@Suite struct BenchTests {
  private static func report(_ words: String..., environment: [String: String]) async throws -> JSONValue {
    let run = await gozon(["bench"] + words + ["--json"], environment: environment)
    #expect(run.status == 0, "\(run)")
    return try JSONValue(parsing: Array(run.output.utf8).span)
  }

  private static let ask = #"{"payload":"","delayMilliseconds":0}"#

  @Test func `so many calls are made as were asked for, in closed and in open loops`() async throws {
    try await withProbe { environment in
      let closed = try await Self.report(
        "Probe.Ask", "--request", Self.ask, "--requests", "500", environment: environment)
      #expect(closed["calls"]?.integer == 500)
      let open = try await Self.report(
        "Probe.Ask", "--request", Self.ask, "--requests", "50", "--rate", "1000", "--warm-up", "20ms",
        environment: environment)
      #expect(open["calls"]?.integer == 50 && open["neverBegun"]?.integer == 0, "\(open)")
    }
  }

  @Test func `messages of streams are counted both ways`() async throws {
    try await withProbe { environment in
      let piece = #"{"number":{{sequence}},"payload":"aGk="}"#
      let echo = try await Self.report(
        "Probe.Echo", "--request", piece, "--requests", "20", "--messages", "30", "--concurrency", "4",
        environment: environment)
      #expect(echo["calls"]?.integer == 20 && echo["shape"]?.string == "bidirectional streaming")
      #expect(echo["sent"]?["messages"]?.integer == 600 && echo["received"]?["messages"]?.integer == 600)
      #expect(echo["sent"]?["bytes"] == echo["received"]?["bytes"])
      let consume = try await Self.report(
        "Probe.Consume", "--request", piece, "--requests", "3", "--messages", "10", environment: environment)
      #expect(consume["sent"]?["messages"]?.integer == 30 && consume["received"]?["messages"]?.integer == 0)
      let produce = try await Self.report(
        "Probe.Produce", "--request", #"{"count":7,"size":3,"intervalMilliseconds":0}"#, "--requests", "5",
        environment: environment)
      #expect(produce["received"]?["messages"]?.integer == 35)
    }
  }

  @Test func `a stream without end is cut off when the load ends`() async throws {
    try await withProbe { environment in
      let endless = #"{"count":1000000000,"size":3,"intervalMilliseconds":0}"#
      let report = try await Self.report(
        "Probe.Produce", "--request", endless, "--duration", "100ms", "--concurrency", "2", environment: environment)
      #expect(report["cutOff"]?.integer == 2 && (report["received"]?["messages"]?.integer ?? 0) > 0)
      #expect(report["failures"] == .object([]))
    }
  }

  // So few at once that the twentieth tells of answers to those before.
  @Test(arguments: [["--concurrency", "4"], ["--rate", "100", "--concurrency", "1"]])
  func `Ctrl-C ends a load early with what was measured`(pace: [String]) async throws {
    let test = TestInterrupts()
    let count = Locked(0)
    let service = WatchedProbe(beforeAsk: {
      count.withLock { $0 += 1 }
      if count.withLock({ $0 }) == 20 { test.fire() }
    })
    try await withProbe(service) { environment in
      let words = ["bench", "Probe.Ask", "--request", Self.ask, "--duration", "1h", "--json"] + pace
      let run = await gozon(words, environment: environment, interrupts: test.interrupts)
      let report = try JSONValue(parsing: Array(run.output.utf8).span)
      #expect(run.status == 65 && report["interrupted"]?.bool == true && (report["calls"]?.integer ?? 0) > 0, "\(run)")
      #expect(report["failures"] == .object([]))
    }
  }

  @Test func `a page is written that needs nothing but itself`() async throws {
    let path = "/tmp/gozon-bench-\(UInt32.random(in: 0...UInt32.max)).html"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await withProbe { environment in
      let request = #"{"payload":"","delayMilliseconds":0,"reason":"<b>"}"#
      let run = await gozon(
        "bench", "Probe.Ask", "--request", request, "--requests", "200", "--html", path, environment: environment)
      #expect(run.status == 0)
      let page = try String(contentsOfFile: path, encoding: .utf8)
      #expect(page.hasPrefix("<!doctype html>") && page.contains("<svg ") && page.contains("Latency by percentile"))
      #expect(page.contains("gozon bench Probe.Ask --request") && page.contains("&lt;b&gt;") && !page.contains("<b>"))
      #expect(!page.contains("http") && !page.contains("src=") && !page.contains("<script"))
      let refused = await gozon(
        "bench", "Probe.Ask", "--request", request, "--html", "/no/such/directory/x.html", environment: environment)
      #expect(refused.status == 67 && refused.errors.contains("cannot write"))
    }
  }

  @Test func `requests are made from templates`() throws {
    var template = try RequestTemplate(#"{"id":"{{uuid}}","n":{{sequence}},"r":{{random -2 3}}}"#)
    #expect(!template.isConstant)
    var ids: Set<String> = []
    for count in 1...50 {
      let json = try JSONValue(parsing: template.next().span)
      ids.insert(json["id"]?.string ?? "")
      #expect(json["n"]?.integer == Int64(count) && (-2...3).contains(json["r"]?.integer ?? 9))
    }
    #expect(ids.count == 50)
    #expect(try RequestTemplate(#"{"a":{"b":{}}}"#).isConstant)
  }

  @Test(arguments: ["{{uid}}", "{{random 5}}", "{{random 5 1}}", "{{uuid", "{{random a b}}"])
  func `a placeholder that is none is refused with those that are`(text: String) {
    #expect(throws: RPCError.self) { try RequestTemplate(text) }
  }

  @Test func `an open schedule ends behind so many calls`() {
    var schedule = OpenSchedule(callsPerSecond: 3, start: 1_000, end: .max)
    // Due at 0, 1/3, 2/3, 1, 4/3 … seconds: of those from half a second on, two.
    schedule.end(after: 2, from: 500_001_000)
    var due: [UInt64] = []
    #expect(!schedule.isOver(now: .max), "those that are late are made too")
    while let next = schedule.take(now: .max) { due.append(next - 1_000) }
    #expect(due == [0, 333_333_333, 666_666_666, 1_000_000_000] && schedule.isOver(now: 0))
    var cut = OpenSchedule(callsPerSecond: 1_000, start: 0, end: 10_000_000)
    #expect(cut.isOver(now: 10_000_000) && !cut.isOver(now: 9_999_999))
    #expect(cut.close(now: .max, from: 4_000_000) == 6, "those of the warm-up do not count")
  }

  @Test func `a timeline doubles its slots rather than have too many`() {
    var timeline = LoadTimeline()
    let slot = LoadTimeline.slotNanosecondsMin
    for index in 0..<UInt64(LoadTimeline.slotsMax) { timeline.countCall(at: index * slot) }
    #expect(timeline.slots.count == LoadTimeline.slotsMax && timeline.slots.allSatisfy { $0.calls == 1 })
    timeline.countCall(at: UInt64(LoadTimeline.slotsMax) * slot)
    #expect(timeline.slotNanoseconds == 2 * slot && timeline.slots.count == LoadTimeline.slotsMax / 2 + 1)
    #expect(timeline.slots.first?.calls == 2 && timeline.slots.last?.calls == 1)
    timeline.countFailure(at: 1_000_000_000_000_000)
    #expect(timeline.slots.count <= LoadTimeline.slotsMax)
    #expect(timeline.slots.reduce(0) { $0 + $1.calls } == LoadTimeline.slotsMax + 1)
  }

  @Test func `a histogram's bars and curve hold every sample`() {
    var histogram = LatencyHistogram()
    for value in stride(from: UInt64(1), to: 3_000_000, by: 997) { histogram.record(nanoseconds: value) }
    let bars = histogram.bars(perDoubling: 6)
    #expect(bars.reduce(0) { $0 + $1.count } == histogram.count && bars.last?.count == 0)
    #expect(zip(bars, bars.dropFirst()).allSatisfy { abs($1.nanoseconds / $0.nanoseconds - 1.1225) < 0.001 })
    #expect(histogram.cumulative.last?.fraction == 1 && histogram.cumulative.last?.nanoseconds == histogram.max)
    #expect(LatencyHistogram().bars(perDoubling: 6).isEmpty)
  }

  @Test func `axes are marked at round values`() {
    let linear = ChartScale.linear(to: 7.5) { "\($0)" }
    #expect(linear.marks.map(\.label) == ["0.0", "2.0", "4.0", "6.0", "8.0"] && linear.place(4) == 0.5)
    let decades = ChartScale.logarithmic(from: 1, to: 100) { "\(Int($0))" }
    #expect(decades.marks.map(\.label) == ["1", "2", "5", "10", "20", "50", "100"])
    #expect(abs(decades.place(10) - 0.5) < 1e-9)
    let nines = ChartScale.nines(count: 10_000)
    #expect(nines.marks.map(\.label) == ["0%", "90%", "99%", "99.9%", "99.99%"])
    #expect(abs(nines.place(0.99) - 0.5) < 1e-9 && nines.place(1) == 1)
  }

  @Test func `a report does not tell the service token`() {
    let words = ["bench", "--service-token", "secret", "--service-token=secret", "--json"]
    #expect(
      BenchEnvironment.withoutSecrets(words) == ["bench", "--service-token", "…", "--service-token=…", "--json"])
  }

  @Test func `a command is written as a shell reads it`() {
    #expect(BenchEnvironment.quoted("--rate=10") == "--rate=10")
    #expect(BenchEnvironment.quoted(#"{"a": 1}"#) == #"'{"a": 1}'"#)
    #expect(BenchEnvironment.quoted("it's") == #"'it'\''s'"# && BenchEnvironment.quoted("") == "''")
  }
}
