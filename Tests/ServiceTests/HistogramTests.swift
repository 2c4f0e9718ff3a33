import Testing

@testable import Service

@Suite struct HistogramTests {
  @Test func `a value is counted in the class that it has the bits of`() {
    var histogram = Histogram()
    for value in [0, 1, 2, 3, 4, 1_023, 1_024, .max, -5] { histogram.record(value) }
    #expect(histogram.classes[0] == 2 && histogram.classes[1] == 1 && histogram.classes[2] == 2)
    #expect(histogram.classes[3] == 1 && histogram.classes[10] == 1 && histogram.classes[11] == 1)
    #expect(histogram.classes[26] == 1 && histogram.count == 9)
  }

  @Test func `every value is within the bound of its class, and not within the one before`() {
    for scale in [Histogram.Scale.counts, .durations] {
      for index in scale.classes {
        var histogram = Histogram()
        histogram.record((1 << index) - 1)
        #expect(histogram.count(upTo: index) == 1 && histogram.count(upTo: index - 1) == 0)
        #expect(Double((1 << index) - 1) * scale.unit <= scale.bound(of: index))
      }
    }
  }

  @Test func `durations are counted in microseconds`() {
    var histogram = Histogram()
    histogram.record(.milliseconds(3))
    histogram.record(.nanoseconds(1_999))
    histogram.record(.seconds(-1))
    histogram.record(.seconds(Int64.max))
    #expect(histogram.classes[12] == 1 && histogram.classes[1] == 1 && histogram.classes[0] == 1)
    #expect(histogram.classes[26] == 1)
  }
}
