import Testing

@testable import ClientTool

@Suite struct LatencyHistogramTests {
  @Test func `an empty histogram is all zero`() {
    let histogram = LatencyHistogram()
    #expect(histogram.count == 0 && histogram.max == 0 && histogram.mean == 0 && histogram.quantile(0.5) == 0)
  }

  @Test func `small values are exact`() {
    var histogram = LatencyHistogram()
    for value in UInt64(1)...200 { histogram.record(nanoseconds: value) }
    #expect(histogram.quantile(0) == 1)
    #expect(histogram.quantile(0.5) == 100)
    #expect(histogram.quantile(0.99) == 198)
    #expect(histogram.quantile(1) == 200)
    #expect(histogram.mean == 100.5)
  }

  @Test func `any value is known within 0.8 percent, never too low`() {
    var value: UInt64 = 1
    while value < 1 << 62 {
      for value in [value - 1, value, value + value / 3] {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: value)
        histogram.record(nanoseconds: .max)
        let median = histogram.quantile(0.5)
        #expect(median >= value && Double(median - value) <= Double(value) * 0.008, "\(value) became \(median)")
      }
      value *= 2
    }
  }

  @Test func `the extremes fit`() {
    var histogram = LatencyHistogram()
    histogram.record(nanoseconds: 0)
    histogram.record(nanoseconds: .max)
    #expect(histogram.quantile(0.5) == 0 && histogram.quantile(1) == .max && histogram.max == .max)
  }

  @Test func `a few slow ones among many show in the high quantiles only`() {
    var histogram = LatencyHistogram()
    for _ in 0..<99_900 { histogram.record(nanoseconds: 1_000_000) }
    for _ in 0..<100 { histogram.record(nanoseconds: 1_000_000_000) }
    #expect(histogram.quantile(0.99) < 1_010_000)
    #expect(histogram.quantile(0.9999) >= 1_000_000_000)
  }
}
