import EventLoop
import Testing

@testable import RPC

@Suite struct KeepaliveTests {
  private static let start = LoopInstant(nanoseconds: 1_000_000_000)

  private static func keepalive(idleMax: Duration? = nil, peerIntervalMin: Duration = .zero) -> Keepalive {
    var options = Keepalive.Options()
    options.interval = .seconds(30)
    options.idleMax = idleMax
    return Keepalive(options, now: start, peerIntervalMin: peerIntervalMin)
  }

  @Test func `a silent peer is asked once, and given up when it stays silent`() {
    var keepalive = Self.keepalive()
    #expect(keepalive.check(now: Self.start + .seconds(29), openCalls: 1) == .nothing)
    #expect(keepalive.check(now: Self.start + .seconds(30), openCalls: 1) == .ping(1))
    #expect(keepalive.check(now: Self.start + .seconds(31), openCalls: 1) == .nothing)
    #expect(keepalive.check(now: Self.start + .seconds(59), openCalls: 1) == .nothing)
    #expect(keepalive.check(now: Self.start + .seconds(60), openCalls: 1) == .lost)
  }

  @Test func `any sign of life is enough`() {
    var keepalive = Self.keepalive()
    #expect(keepalive.check(now: Self.start + .seconds(30), openCalls: 0) == .ping(1))
    keepalive.heard(at: Self.start + .seconds(31))
    #expect(keepalive.check(now: Self.start + .seconds(60), openCalls: 0) == .nothing)
    #expect(keepalive.check(now: Self.start + .seconds(61), openCalls: 0) == .ping(2))
  }

  @Test func `nobody pings more often than the peer wants`() {
    var keepalive = Self.keepalive(peerIntervalMin: .seconds(300))
    #expect(keepalive.check(now: Self.start + .seconds(299), openCalls: 1) == .nothing)
    #expect(keepalive.check(now: Self.start + .seconds(300), openCalls: 1) == .ping(1))
  }

  @Test func `a connection is idle when there was no call for long, whatever else came`() {
    var keepalive = Self.keepalive(idleMax: .seconds(100))
    keepalive.heard(at: Self.start + .seconds(99))
    #expect(keepalive.check(now: Self.start + .seconds(99), openCalls: 1) == .nothing)
    keepalive.heard(at: Self.start + .seconds(198))
    #expect(keepalive.check(now: Self.start + .seconds(198), openCalls: 0) == .nothing)
    #expect(keepalive.check(now: Self.start + .seconds(199), openCalls: 0) == .idle)
  }

  @Test func `pings may come early now and then, and not all the time`() {
    var policy = PingPolicy(intervalMin: .seconds(1))
    let times = [0, 1_000, 1_100, 1_200, 1_300, 2_300, 2_400, 2_500, 2_600, 2_700]
    let tolerated = times.map { policy.pingReceived(at: Self.start + .milliseconds($0)) }
    #expect(tolerated == [true, true, true, true, true, true, true, true, true, false])
  }
}
