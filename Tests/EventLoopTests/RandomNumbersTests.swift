import EventLoop
import Testing

@Suite struct RandomNumbersTests {
  @Test func `numbers do not repeat, and use all bits`() {
    var random = RandomNumbers()
    var seen = Set<UInt64>()
    var (union, intersection) = (UInt64.zero, UInt64.max)
    for _ in 0..<2_000 {
      let number = random.next()
      seen.insert(number)
      union |= number
      intersection &= number
    }
    #expect(seen.count == 2_000 && union == .max && intersection == 0)
    var other = RandomNumbers()
    #expect(!seen.contains(other.next()))
  }
}
