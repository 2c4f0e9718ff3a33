/// A report as a page of HTML that needs nothing but itself.
struct BenchPage: Sendable {
  let report: BenchReport
  let environment: BenchEnvironment

  /// The page.
  var html: String {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>\(Self.escaped(report.method)) · gozon bench</title>
    <style>
    \(Self.style)
    </style>
    </head>
    <body>
    <header>
    <p class="kind">gozon bench</p>
    <h1>\(Self.escaped(report.method))</h1>
    <p>\(Self.escaped(subtitle))</p>
    </header>
    \(notices)
    <section class="figures" aria-label="Key figures">
    \(figures.map { #"<div><dt>\#($0.name)</dt><dd>\#($0.value)<small>\#($0.unit)</small></dd></div>"# }.joined(separator: "\n"))
    </section>
    <main>
    \(charts)
    </main>
    <div class="tables">
    \(table("Latency", latencyRows))
    \(table("Calls", callRows))
    </div>
    <section>
    <h2>Command</h2>
    <pre>\(Self.escaped(environment.command))</pre>
    </section>
    \(table("Environment", environment.properties + [("Servers", report.servers.joined(separator: ", "))]))
    </body>
    </html>

    """
  }

  private var subtitle: String { "\(report.shape), \(report.pace), \(report.connections)" }

  private var charts: String {
    guard report.result.latencies.count > 0 else { return report.throughputChart.html }
    return [report.latencyChart, report.throughputChart, report.histogramChart].map(\.html).joined(separator: "\n")
  }

  /// What a reader must know before the figures.
  private var notices: String {
    var texts: [String] = []
    if report.result.isInterrupted { texts.append("The run was interrupted; this is what was measured until then.") }
    if report.result.neverBegun > 0 {
      texts.append("\(report.result.neverBegun) calls were due and never begun: the server did not keep up.")
    }
    if report.result.failureCount > 0 { texts.append("\(report.result.failureCount) calls failed.") }
    return texts.map { #"<p class="notice">\#($0)</p>"# }.joined(separator: "\n")
  }

  private typealias Figure = (name: String, value: String, unit: String)

  private var figures: [Figure] {
    let (result, latencies) = (report.result, report.result.latencies)
    func latency(_ name: String, _ nanoseconds: UInt64) -> Figure {
      let parts = Units.microseconds(Double(nanoseconds) / 1_000).split(separator: " ")
      return (name, "\(parts[0])", "\(parts.last ?? "")")
    }
    var figures: [Figure] = [("Throughput", Self.grouped(result.callsPerSecond), "calls/s")]
    if report.hasMessages {
      let both = Double(result.sent.count + result.received.count)
      figures.append(("Messages", Self.grouped(result.perSecond(both)), "/s"))
    }
    return figures + [
      latency("p50", latencies.quantile(0.5)), latency("p99", latencies.quantile(0.99)),
      latency("p99.9", latencies.quantile(0.999)), latency("Slowest", latencies.max),
    ]
  }

  private var latencyRows: [(name: String, value: String)] {
    let latencies = report.result.latencies
    return [("mean", "\(BenchReport.milliseconds(latencies.mean)) ms")]
      + BenchReport.quantiles.map {
        (BenchReport.name($0), "\(BenchReport.milliseconds(Double(latencies.quantile($0)))) ms")
      } + [("max", "\(BenchReport.milliseconds(Double(latencies.max))) ms")]
  }

  private var callRows: [(name: String, value: String)] {
    let result = report.result
    var rows = [("answered", Self.grouped(Double(result.latencies.count)))]
    rows += report.failures.map { ("failed: \($0.name)", Self.grouped(Double($0.count))) }
    if result.cutOff > 0 { rows.append(("cut off at the end", "\(result.cutOff)")) }
    if result.neverBegun > 0 { rows.append(("never begun", Self.grouped(Double(result.neverBegun)))) }
    rows.append(("measured", "\(fixedPoint(result.elapsed / .seconds(1), 2)) s"))
    if report.plan.warmUp > .zero { rows.append(("warm-up", "\(fixedPoint(report.plan.warmUp / .seconds(1), 2)) s")) }
    for (name, messages) in [("sent", result.sent), ("received", result.received)] where messages.count > 0 {
      rows.append(("messages \(name)", Self.grouped(Double(messages.count))))
      rows.append(("", "\(Units.bytes(result.perSecond(Double(messages.bytes))))/s"))
    }
    return rows
  }

  private func table(_ title: String, _ rows: [(name: String, value: String)]) -> String {
    let lines = rows.map {
      "<tr><th scope=\"row\">\(Self.escaped($0.name))</th><td>\(Self.escaped($0.value))</td></tr>"
    }
    return "<section>\n<h2>\(title)</h2>\n<table>\n\(lines.joined(separator: "\n"))\n</table>\n</section>"
  }

  /// A whole number with a thin space between thousands.
  private static func grouped(_ value: Double) -> String {
    var text = ""
    for (index, digit) in fixedPoint(value, 0).reversed().enumerated() {
      if index > 0, index.isMultiple(of: 3) { text.append("\u{202F}") }
      text.append(digit)
    }
    return String(text.reversed())
  }

  /// Text as HTML.
  static func escaped(_ text: String) -> String {
    text.map { character in
      switch character {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      default: String(character)
      }
    }.joined()
  }
}
