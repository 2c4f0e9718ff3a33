import EventLoop
import Testing

@testable import Postgres

@Suite struct StatementTimeoutTests {
  private let now = LoopInstant(nanoseconds: 1_000_000_000_000)

  @Test(arguments: [
    (-5, 10), (0, 10), (1, 10), (10, 10), (11, 20), (20, 20), (21, 50), (50, 50), (51, 100), (100, 100), (101, 200),
    (1_999, 2_000), (2_001, 5_000), (5_000, 5_000), (5_001, 10_000), (9_999, 10_000), (60_000, 10_000),
  ])
  func `the time left is rounded up to a step, up to the longest`(left: Int, step: UInt64) {
    let timeout = StatementTimeout(max: .seconds(10))
    #expect(timeout.step(for: now + .milliseconds(left), now: now) == step)
  }

  @Test func `a longest setting between two steps is a step itself`() {
    let timeout = StatementTimeout(max: .seconds(3))
    #expect(timeout.step(for: now + .milliseconds(2_001), now: now) == 3_000)
    #expect(timeout.step(for: nil, now: now) == 3_000)
    #expect(StatementTimeout(max: .milliseconds(3)).step(for: now, now: now) == 3)
  }

  @Test func `without a longest setting any deadline has its step`() {
    let timeout = StatementTimeout(max: .zero)
    #expect(timeout.step(for: nil, now: now) == 0)
    #expect(timeout.step(for: now + .seconds(3_000), now: now) == 5_000_000)
    #expect(timeout.step(for: LoopInstant(nanoseconds: .max), now: now) == 0)
  }

  @Test func `a session is changed only when it has another step`() {
    var timeout = StatementTimeout(max: .seconds(10))
    #expect(timeout.change(for: nil, now: now) == nil)
    #expect(timeout.change(for: now + .milliseconds(9_950), now: now) == nil)
    #expect(timeout.change(for: now + .milliseconds(150), now: now) == 200)
    #expect(timeout.change(for: now + .milliseconds(190), now: now) == nil)
    #expect(timeout.change(for: nil, now: now) == 10_000)
    timeout.changeFailed()
    #expect(timeout.change(for: nil, now: now) == 10_000)
    #expect(timeout.change(for: nil, now: now) == nil)
  }
}
