import EventLoop
import Testing

@testable import RPC

@Suite struct BalancerTests {
  private static let start = LoopInstant(nanoseconds: 1_000_000_000)

  /// A balancer all of whose members are connected and serve.
  private static func ready(_ count: Int, seed: UInt64 = 1) -> Balancer {
    var balancer = Balancer(count: count, seed: seed)
    for member in 0..<count { balancer.stateChanged(member, isConnected: true, isServing: true) }
    return balancer
  }

  private static func pick(
    _ balancer: inout Balancer, avoiding: Int? = nil, now: LoopInstant = start, loads: [Int] = []
  ) -> Int? {
    guard let (one, other) = balancer.draw(avoiding: avoiding, now: now) else { return nil }
    if one == other { return one }
    return balancer.choose((one, loads.isEmpty ? 0 : loads[one]), (other, loads.isEmpty ? 0 : loads[other]))
  }

  @Test func `nothing is picked before a member is connected, nor after the last is lost`() {
    var balancer = Balancer(count: 2, seed: 1)
    #expect(!balancer.isReady && Self.pick(&balancer) == nil)
    balancer.stateChanged(1, isConnected: true, isServing: true)
    #expect(balancer.isReady && Self.pick(&balancer) == 1)
    balancer.stateChanged(1, isConnected: false, isServing: false)
    #expect(!balancer.isReady && Self.pick(&balancer) == nil)
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `of two, the less loaded takes the call, and equals take turns`(seed: UInt64) {
    var balancer = Self.ready(2, seed: seed)
    for _ in 0..<10 { #expect(Self.pick(&balancer, loads: [3, 2]) == 1) }
    let turns = (0..<4).map { _ in Self.pick(&balancer) }
    #expect(turns == [0, 1, 0, 1])
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `the most loaded of many never takes a call, and all others do`(seed: UInt64) {
    var balancer = Self.ready(5, seed: seed)
    var counts = [0, 0, 0, 0, 0]
    for _ in 0..<500 { counts[Self.pick(&balancer, loads: [1, 1, 9, 1, 1])!] += 1 }
    #expect(counts[2] == 0 && counts.enumerated().allSatisfy { $0.offset == 2 || $0.element > 50 }, "\(counts)")
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `calls under way stay within a few of each other`(seed: UInt64) {
    var balancer = Self.ready(8, seed: seed)
    var loads = [Int](repeating: 0, count: 8)
    for _ in 0..<4_000 { loads[Self.pick(&balancer, loads: loads)!] += 1 }
    #expect(loads.max()! - loads.min()! <= 10, "\(loads)")
  }

  @Test func `a server that does not serve is avoided as long as another does`() {
    var balancer = Self.ready(2)
    balancer.stateChanged(0, isConnected: true, isServing: false)
    for _ in 0..<10 { #expect(Self.pick(&balancer, loads: [0, 99]) == 1) }
    balancer.stateChanged(1, isConnected: true, isServing: false)
    #expect(Set((0..<10).map { _ in Self.pick(&balancer) }) == [0, 1])
    balancer.stateChanged(0, isConnected: true, isServing: true)
    for _ in 0..<10 { #expect(Self.pick(&balancer, loads: [99, 0]) == 0) }
  }

  @Test func `a connection that fails one call after the other is left out for a while`() {
    var balancer = Self.ready(2)
    for _ in 1..<Balancer.failuresMax { balancer.failed(0, now: Self.start) }
    #expect(balancer.best == [0, 1])
    balancer.failed(0, now: Self.start)
    for _ in 0..<10 { #expect(Self.pick(&balancer, loads: [0, 99]) == 1) }
    let later = Self.start + Balancer.ejectionTime
    #expect(Self.pick(&balancer, now: later, loads: [0, 99]) == 0)
  }

  @Test func `an answer forgives the failures before it, and so does a new connection`() {
    var balancer = Self.ready(2)
    for _ in 1..<Balancer.failuresMax { balancer.failed(0, now: Self.start) }
    balancer.answered(0)
    balancer.failed(0, now: Self.start)
    #expect(balancer.best == [0, 1])
    for _ in 0..<Balancer.failuresMax { balancer.failed(0, now: Self.start) }
    #expect(balancer.best == [1])
    balancer.stateChanged(0, isConnected: false, isServing: false)
    balancer.failed(0, now: Self.start)
    balancer.stateChanged(0, isConnected: true, isServing: true)
    #expect(balancer.best == [0, 1])
  }

  @Test func `where all connections fail, they are taken all the same, before those that do not serve`() {
    var balancer = Self.ready(3)
    balancer.stateChanged(2, isConnected: true, isServing: false)
    for member in 0..<2 {
      for _ in 0..<Balancer.failuresMax { balancer.failed(member, now: Self.start) }
    }
    #expect(Set((0..<10).map { _ in Self.pick(&balancer) }) == [0, 1])
  }

  @Test func `the member that failed before is avoided when there is another`() {
    var balancer = Self.ready(2)
    for _ in 0..<10 { #expect(Self.pick(&balancer, avoiding: 0, loads: [0, 99]) == 1) }
    balancer.stateChanged(1, isConnected: false, isServing: false)
    #expect(Self.pick(&balancer, avoiding: 0) == 0)
  }
}
