import Testing

@testable import ClientTool

@Suite struct OpenScheduleTests {
  @Test func `calls are due evenly, and not before`() {
    var schedule = OpenSchedule(callsPerSecond: 3, start: 1_000, end: 2_000_001_000)
    #expect(schedule.take(now: 999) == nil)
    #expect(schedule.take(now: 1_000) == 1_000)
    #expect(schedule.take(now: 333_334_332) == nil)
    #expect(schedule.take(now: 333_334_333) == 333_334_333)
    #expect(schedule.take(now: 900_000_000) == 666_667_666)
    #expect(schedule.nextDue == 1_000_001_000)
  }

  @Test func `a generator that comes late gets every call with the time it was due`() {
    var schedule = OpenSchedule(callsPerSecond: 1_000, start: 0, end: 10_000_000)
    var due: [UInt64] = []
    while let next = schedule.take(now: 5_500_000) { due.append(next) }
    #expect(due == [0, 1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000])
  }

  @Test func `none is due at the end or later, and those left over are counted`() {
    var schedule = OpenSchedule(callsPerSecond: 1_000, start: 0, end: 3_000_000)
    #expect(schedule.take(now: 9_000_000) == 0)
    #expect(!schedule.isOver(now: 0))
    #expect(schedule.close(now: 9_000_000, from: 0) == 2)
    #expect(schedule.isOver(now: 0) && schedule.take(now: 9_000_000) == nil)
  }

  @Test func `a long load does not overflow`() {
    var schedule = OpenSchedule(callsPerSecond: 10_000_000, start: 0, end: .max)
    for _ in 0..<1_000_000 { _ = schedule.take(now: .max) }
    #expect(schedule.nextDue == 100_000_000)
  }
}
