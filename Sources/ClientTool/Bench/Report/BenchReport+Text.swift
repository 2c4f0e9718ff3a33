/// A report for people.
extension BenchReport {
  var text: String {
    var lines = [
      "\(method) (\(shape)) at \(servers.joined(separator: ", ")), \(pace), \(connections)",
      "  calls    \(result.latencies.count) in \(fixedPoint(result.elapsed / .seconds(1), 2)) s: "
        + "\(fixedPoint(result.callsPerSecond, 0))/s",
    ]
    if result.sent.count > 0 { lines.append("  sent     \(text(of: result.sent))") }
    if result.received.count > 0 { lines.append("  received \(text(of: result.received))") }
    lines += failures.map { "  failed   \($0.count) \($0.name)" }
    if result.cutOff > 0 { lines.append("  cut off  \(result.cutOff) calls were under way at the end") }
    if result.neverBegun > 0 { lines.append("  behind   \(result.neverBegun) calls were due and never begun") }
    if result.isInterrupted { lines.append("  it was interrupted: this is what was measured until then") }
    return (lines + latencyLines).joined(separator: "\n")
  }

  private var latencyLines: [String] {
    guard result.latencies.count > 0 else { return ["  latency  no call was answered in this time"] }
    let rows =
      [("mean", result.latencies.mean)]
      + Self.quantiles.map { (Self.name($0), Double(result.latencies.quantile($0))) }
      + [("max", Double(result.latencies.max))]
    let width = rows.map { $0.0.count }.max() ?? 0
    return rows.enumerated().map { index, row in
      let label = row.0 + String(repeating: " ", count: width - row.0.count)
      return "  \(index == 0 ? "latency" : "       ")  \(label) \(Self.milliseconds(row.1)) ms"
    }
  }

  private func text(of messages: LoadResult.Messages) -> String {
    "\(messages.count) messages: \(fixedPoint(result.perSecond(Double(messages.count)), 0))/s, "
      + "\(Units.bytes(result.perSecond(Double(messages.bytes))))/s"
  }
}
