/// The figures of a report.
extension BenchReport {
  /// Points of a curve; more would not be seen.
  private static let pointsMax = 400
  /// Bars of the histogram for each doubling of the latency.
  private static let barsPerDoubling = 6

  /// Latency over the share of the calls that had it or less.
  var latencyChart: Chart {
    let x = ChartScale.nines(count: result.latencies.count)
    var points: [(x: Double, y: Double)] = []
    var lastPlace = -1.0
    for step in result.latencies.cumulative {
      let place = x.place(step.fraction)
      guard place - lastPlace >= 1 / Double(Self.pointsMax) || step.fraction >= 1 else { continue }
      if points.isEmpty { points.append((0, Double(step.nanoseconds) / 1_000)) }
      points.append((step.fraction, Double(step.nanoseconds) / 1_000))
      lastPlace = place
    }
    return Chart(
      title: "Latency by percentile", caption: "Share of the calls that took no longer; each nine has the same width",
      style: .line, x: x, y: .linear(to: Double(result.latencies.max) / 1_000, Units.microseconds), points: points)
  }

  /// Calls, or messages, over time.
  var throughputChart: Chart {
    let seconds = Double(result.timeline.slotNanoseconds) / 1_000_000_000
    // The last slot is not full.
    let slots = result.timeline.slots.count > 1 ? result.timeline.slots.dropLast() : result.timeline.slots[...]
    func points(_ count: (LoadTimeline.Slot) -> Int) -> [(x: Double, y: Double)] {
      slots.enumerated().map { ((Double($0) + 0.5) * seconds, Double(count($1)) / seconds) }
    }
    let (calls, failures) = (points(hasMessages ? \.messages : \.calls), points(\.failures))
    let most = (calls + failures).map(\.y).max() ?? 0
    let hasFailures = result.failureCount > 0
    let length = max(seconds, Double(slots.count) * seconds)
    return Chart(
      title: hasMessages ? "Messages over time" : "Throughput over time",
      caption: (hasMessages ? "Messages a second, both ways" : "Calls a second")
        + (hasFailures ? "; failures in red" : ""),
      style: .area, x: .linear(to: length) { "\(Self.short($0)) s" }.cut(at: length),
      y: .linear(to: most, Units.count), points: calls, warnings: hasFailures ? failures : [])
  }

  /// How many calls took how long.
  var histogramChart: Chart {
    let bars = result.latencies.bars(perDoubling: Self.barsPerDoubling)
    let total = Double(max(1, result.latencies.count))
    let points = bars.map { (x: $0.nanoseconds / 1_000, y: 100 * Double($0.count) / total) }
    let (least, most) = (points.first?.x ?? 1, points.last?.x ?? 2)
    return Chart(
      title: "Latency histogram", caption: "Share of the calls by latency, on a logarithmic axis", style: .bars,
      x: .logarithmic(from: least, to: most, Units.microseconds),
      y: .linear(to: points.map(\.y).max() ?? 0) { "\(Self.short($0)) %" }, points: points)
  }

  /// A number without needless decimals.
  private static func short(_ value: Double) -> String {
    var text = fixedPoint(value, 2)
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }
}
