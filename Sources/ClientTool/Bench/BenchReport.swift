internal import JetStream
internal import RPC

/// What a benchmark tells.
struct BenchReport: Sendable {
  let method: String
  let servers: [String]
  let plan: LoadPlan
  let result: LoadResult

  /// The quantiles that are told, as fractions.
  private static let quantiles = [0.5, 0.9, 0.99, 0.999, 0.9999]

  /// For people.
  var text: String {
    var lines = [
      "\(method) at \(servers.joined(separator: ", ")), \(pace), \(plan.connections) connection(s)",
      "  calls    \(result.latencies.count) in \(Self.fixed(result.elapsed / .seconds(1), 2)) s: "
        + "\(Self.fixed(result.callsPerSecond, 0))/s",
    ]
    lines += failures.map { "  failed   \($0.count) \($0.name)" }
    if result.neverBegun > 0 { lines.append("  behind   \(result.neverBegun) calls were due and never begun") }
    lines.append("  latency  mean \(Self.milliseconds(result.latencies.mean)) ms")
    for quantile in Self.quantiles {
      let value = Self.milliseconds(Double(result.latencies.quantile(quantile)))
      lines.append("           \(Self.name(quantile)) \(value) ms")
    }
    lines.append("           max \(Self.milliseconds(Double(result.latencies.max))) ms")
    return lines.joined(separator: "\n")
  }

  /// For machines; times in microseconds.
  var json: JSONValue {
    var latency = Self.quantiles.map {
      JSONValue.Member(Self.name($0), .number(Double(result.latencies.quantile($0)) / 1_000))
    }
    latency.insert(.init("mean", .number(result.latencies.mean / 1_000)), at: 0)
    latency.append(.init("max", .number(Double(result.latencies.max) / 1_000)))
    return [
      "method": .string(method), "servers": .array(servers.map { .string($0) }), "pace": .string(pace),
      "connections": .integer(Int64(plan.connections)), "seconds": .number(result.elapsed / .seconds(1)),
      "calls": .integer(Int64(clamping: result.latencies.count)), "callsPerSecond": .number(result.callsPerSecond),
      "failures": .object(failures.map { .init($0.name, .integer(Int64($0.count))) }),
      "neverBegun": .integer(Int64(result.neverBegun)), "latencyMicroseconds": .object(latency),
    ]
  }

  private var pace: String {
    switch plan.pace {
    case .closed(let callers): "closed loop, \(callers) in flight"
    case .open(let rate, _): "open loop, \(rate)/s"
    }
  }

  private var failures: [(name: String, count: Int)] {
    result.failures.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key.name, $0.value) }
  }

  /// Such as `p99.9`.
  private static func name(_ quantile: Double) -> String {
    var percent = fixed(quantile * 100, 2)
    while percent.last == "0" { percent.removeLast() }
    if percent.last == "." { percent.removeLast() }
    return "p\(percent)"
  }

  private static func milliseconds(_ nanoseconds: Double) -> String { fixed(nanoseconds / 1_000_000, 3) }

  private static func fixed(_ value: Double, _ decimals: Int) -> String {
    let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
    let scaled = (value * scale).rounded()
    guard scaled.isFinite, scaled.magnitude < 1e18 else { return "\(value)" }
    let digits = String(Int64(scaled.magnitude))
    let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let whole = padded.dropLast(decimals)
    return (scaled < 0 ? "-" : "") + whole + (decimals > 0 ? ".\(padded.suffix(decimals))" : "")
  }
}
