import EventLoop
import Testing

@testable import Gateway

@Suite struct RateLimiterTests {
  private static let start = LoopInstant(nanoseconds: 1_000_000_000_000)

  private static func at(_ seconds: Double) -> LoopInstant { start + .seconds(seconds) }

  @Test func `a burst goes through at once, and then as many as come back`() {
    var limiter = RateLimiter(.init(perSecond: 10, burst: 5))
    for left in [4, 3, 2, 1, 0] {
      let decision = limiter.take("a", now: Self.start)
      #expect(decision.isAdmitted && decision.remaining == left && decision.retryAfter == .zero)
      #expect(decision.untilFull == .milliseconds(100 * (5 - left)))
    }
    let refused = limiter.take("a", now: Self.start)
    #expect(!refused.isAdmitted && refused.remaining == 0 && refused.retryAfter == .milliseconds(100))
    #expect(!limiter.take("a", now: Self.at(0.099)).isAdmitted)
    #expect(limiter.take("a", now: Self.at(0.1)).isAdmitted && !limiter.take("a", now: Self.at(0.1)).isAdmitted)
    // Who is refused loses nothing by asking.
    for _ in 0..<100 { #expect(!limiter.take("a", now: Self.at(0.15)).isAdmitted) }
    #expect(limiter.take("a", now: Self.at(0.2)).isAdmitted)
    #expect(limiter.take("b", now: Self.at(0.2)).remaining == 4, "others have buckets of their own")
    let rested = limiter.take("a", now: Self.at(60))
    #expect(rested.isAdmitted && rested.remaining == 4, "no more than a full bucket")
  }

  @Test func `whatever the times, no more go through than the policy gives`() {
    var random = RandomNumbers()
    for _ in 0..<50 {
      let (perSecond, burst) = (Int(1 + random.next() % 100), Int(1 + random.next() % 50))
      var limiter = RateLimiter(.init(perSecond: perSecond, burst: burst))
      var (now, admitted) = (0.0, 0)
      for _ in 0..<2_000 {
        now += Double(random.next() % 1_000) / 1_000 * 0.2 / Double(perSecond)
        if limiter.take("a", now: Self.at(now)).isAdmitted { admitted += 1 }
      }
      #expect(Double(admitted) <= Double(burst) + now * Double(perSecond) + 1)
      #expect(Double(admitted) >= now * Double(perSecond) * 0.8, "and no fewer, whoever asks often enough")
    }
  }

  @Test func `the table is bounded, and keeps who has used up most`() {
    var limiter = RateLimiter(.init(perSecond: 1, burst: 10), bucketsMax: 100)
    for _ in 0..<10 { _ = limiter.take("greedy", now: Self.start) }
    for number in 0..<10_000 {
      _ = limiter.take("client \(number)", now: Self.start)
      #expect(limiter.count <= 100)
    }
    #expect(!limiter.take("greedy", now: Self.start).isAdmitted)
  }

  @Test func `buckets that are full again are forgotten`() {
    var limiter = RateLimiter(.init(perSecond: 10, burst: 10))
    for number in 0..<1_000 { _ = limiter.take("client \(number)", now: Self.start) }
    #expect(limiter.count == 1_000)
    for number in 0..<1_000 { _ = limiter.take("a", now: Self.at(10 + Double(number))) }
    #expect(limiter.count <= 2)
  }
}
