import EventLoop
import TestSupport
import Testing

@testable import Service

@Suite struct MetricTests {
  @Test func `labels and help keep their line`() {
    let metric = Metric("x", .gauge, "One\nline \\ \"here\".", values: [(["a": "q\"\\\n", "b": "é"], 1.5)])
    #expect(
      Metric.text(of: [metric]) == #"""
        # HELP gozon_x One\nline \\ "here".
        # TYPE gozon_x gauge
        gozon_x{a="q\"\\\n",b="é"} 1.5

        """#)
  }

  @Test func `numbers are as Prometheus writes them`() {
    let metric = Metric(
      "x", .gauge, "X.",
      values: [
        (["n": "1"], .nan), (["n": "2"], .infinity), (["n": "3"], -.infinity), (["n": "4"], 1e15), (["n": "5"], 0.1),
      ])
    let values = Metric.text(of: [metric]).split(separator: "\n").dropFirst(2).compactMap {
      $0.split(separator: " ").last
    }
    #expect(values == ["NaN", "+Inf", "-Inf", "1000000000000000", "0.1"])
  }

  @Test func `a histogram has its buckets, its sum and its count`() {
    var histogram = Histogram()
    for value in [1, 3, 5_000] { histogram.record(value) }
    let labels: Metric.Labels = ["of": "x"]
    let lines = Metric.text(of: [.histogram("size", "Sizes.", .counts, [(labels, histogram)])]).split(separator: "\n")
    #expect(lines[1] == "# TYPE gozon_size histogram")
    #expect(
      lines[2...4] == [
        #"gozon_size_bucket{of="x",le="1"} 1"#, #"gozon_size_bucket{of="x",le="3"} 2"#,
        #"gozon_size_bucket{of="x",le="7"} 2"#,
      ])
    #expect(
      lines.suffix(3) == [
        #"gozon_size_bucket{of="x",le="+Inf"} 3"#, #"gozon_size_sum{of="x"} 5004"#, #"gozon_size_count{of="x"} 3"#,
      ])
  }

  @Test func `figures that cost a question are asked for in the background, and gone when they fail`() async throws {
    try await onLoop { loop in
      // Confined to the loop of its test.
      final class Source: @unchecked Sendable {
        var answers = 0
        var isBroken = false
      }
      struct Broken: Error {}
      let (source, steady) = (Source(), Source())
      let figures = RefreshedFigures(
        loop: loop, log: Log(service: "test", level: .error), interval: .milliseconds(5),
        sources: [
          .init("database") {
            if source.isBroken { throw Broken() }
            source.answers += 1
            return [Metric("rows", .gauge, "Rows.", Double(source.answers))]
          },
          .init("broker") {
            steady.answers += 1
            return [Metric("letters", .gauge, "Letters.", 7)]
          },
        ])
      func text() -> String { Metric.text(of: figures.metrics) }
      func until(_ condition: () -> Bool) async throws {
        for _ in 0..<2_000 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
        #expect(condition())
      }
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await figures.part.run() }
        try await until { text().contains("gozon_rows ") && text().contains("gozon_letters 7") }
        let asked = source.answers
        _ = (0..<100).map { _ in text() }
        #expect(source.answers == asked, "reading asks nobody")
        source.isBroken = true
        try await until { !text().contains("gozon_rows ") && text().contains("gozon_letters 7") }
        #expect(!text().contains(#"figures_failures_total{source="database"} 0"#))
        #expect(text().contains(#"figures_failures_total{source="broker"} 0"#))
        source.isBroken = false
        try await until { text().contains("gozon_rows ") }
        figures.part.beginGracefulShutdown()
        try await group.waitForAll()
      }
    }
  }
}
