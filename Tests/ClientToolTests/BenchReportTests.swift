import JSON
import JetStream
import RPC
import Testing

@testable import ClientTool

@Suite struct BenchReportTests {
  private static var result: LoadResult {
    var result = LoadResult()
    for _ in 0..<10 { result.latencies.record(nanoseconds: 1_500_000) }
    result.failures = [.unavailable: 2]
    result.neverBegun = 3
    result.elapsed = .seconds(2)
    return result
  }

  private static let plan = LoadPlan(
    pace: .open(callsPerSecond: 5, inFlightMax: 9), end: .duration(.seconds(2)), connections: 1, timeout: .seconds(1))

  @Test func `the text tells throughput, failures and quantiles`() {
    let text = BenchReport(method: "A.B", shape: "unary", servers: ["h:1"], plan: Self.plan, result: Self.result).text
    #expect(text.hasPrefix("A.B (unary) at h:1, open loop, 5/s, 1 connection\n  calls    10 in 2.00 s: 5/s\n"))
    #expect(text.contains("failed   2 UNAVAILABLE") && text.contains("3 calls were due and never begun"))
    #expect(text.contains("p99.9  1.500 ms") && text.contains("p50    1.500 ms") && text.hasSuffix("max    1.500 ms"))
  }

  @Test func `the JSON has the same in microseconds`() throws {
    let json = BenchReport(method: "A.B", shape: "unary", servers: ["h:1"], plan: Self.plan, result: Self.result).json
    #expect(json["calls"]?.integer == 10 && json["failures"]?["UNAVAILABLE"]?.integer == 2)
    #expect(json["latencyMicroseconds"]?["p99"] == .number(1_500))
  }
}
