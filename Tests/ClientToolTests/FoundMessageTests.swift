import Testing
import Wire

@testable import ClientTool

@Suite struct FoundMessageTests {
  @Test(arguments: [
    ("2026-11-27T17:05:28.363506608Z", "2026-11-27T17:05:28.363506Z"),
    ("2026-11-27T17:05:28.3635Z", "2026-11-27T17:05:28.363500Z"),
    ("2026-11-27T17:05:28Z", "2026-11-27T17:05:28Z"),
  ])
  func `a broker's time is read to the microsecond`(text: String, time: String) {
    #expect(Timestamp(brokerTime: text)?.description == time)
  }

  @Test(arguments: ["", "yesterday", "2026-11-27T17:05:28.", "2026-11-27T17:05:28.x"])
  func `what is no time is none`(text: String) {
    #expect(Timestamp(brokerTime: text) == nil)
  }
}
