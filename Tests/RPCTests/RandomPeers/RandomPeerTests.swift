import API
import EventLoop
import TestSupport
import Testing

@testable import RPC

/// What the server of these tests allows: little, so that peers come to the end of it.
enum ProbeLimits {
  static let callWindow = 4_000
  static let connectionWindow = 10_000
  static let streamsMax = 64

  static var limits: RPCServer.Limits {
    var limits = RPCServer.Limits()
    limits.callWindow = callWindow
    limits.connectionWindow = connectionWindow
    limits.streamsMax = streamsMax
    limits.payloadBytesMax = 64 << 10
    limits.pingIntervalMin = .zero
    return limits
  }
}

/// Peers that seeds make up, against a real server: each call ends as it must, a violation ends the connection, nothing
/// is left behind, and others are served all the while. `GOZON_TEST_SEED` replays one.
@Suite struct RandomPeerTests {
  @Test func `whatever a peer says, it is answered as the protocol has it, and nothing of it is left`() async throws {
    try await StreamingTests.withProbe(limits: ProbeLimits.limits) { loop, server, probe in
      for random in SeededRandom.several(40) {
        let comment: Comment = "replay it with GOZON_TEST_SEED=\(random.seed)"
        let peer = RandomPeer(loop: loop, random: random)
        try await peer.greet(port: server.port)
        let connection = try #require(server.connections.values.first { $0.peerName == peer.name }, comment)
        for _ in 0..<Int.random(in: 0...120, using: &peer.random) {
          peer.step()
          // The server's turn, now and then.
          if Int.random(in: 0..<4, using: &peer.random) == 0 { try await loop.sleep(for: .zero) }
        }
        let ending = PeerEnding.allCases.randomElement(using: &peer.random)!
        try await Self.end(peer, ending, connection, loop, comment)
        #expect(peer.faults.isEmpty, comment)
        peer.raw.disconnect()
        try await Self.until(loop, "the server holds something: \(comment)") {
          server.connections.count == 1 && connection.machine.runningHandlers == 0 && connection.machine.calls.isEmpty
            && connection.link?.flow.calls.isEmpty == true
        }
        #expect(try await probe.ask(AskRequest(payload: [1])).payload == [1], comment)
        if !peer.faults.isEmpty { return }
      }
    }
  }

  private static func end(
    _ peer: RandomPeer, _ ending: PeerEnding, _ connection: ServerConnection, _ loop: EventLoop, _ comment: Comment
  ) async throws {
    switch ending {
    case .answered:
      try await until(loop, "calls stay without an answer: \(comment)") {
        peer.finish()
        return peer.isAnswered || !peer.faults.isEmpty
      }
      try await until(loop, "an answered connection holds something: \(comment)") {
        connection.machine.runningHandlers == 0 && connection.link?.flow.calls.isEmpty == true
      }
      #expect(!peer.raw.isClosed, comment)
    case .cut: break
    case .violation, .junk:
      if ending == .junk { peer.say(peer.random.bytes(100)) } else { peer.violate() }
      peer.flush()
      try await until(loop, "the connection goes on: \(comment)") { peer.raw.isClosed }
      peer.receive()
      #expect(peer.goAway == .protocolViolation, comment)
    case .flood:
      peer.flood(cancels: false)
      peer.flush()
      try await until(loop, "not every call too many is refused: \(comment)") {
        peer.raw.frames.count { $0.header.kind == .response && $0.header.code == StatusCode.resourceExhausted.rawValue }
          >= 3 * ProbeLimits.streamsMax
      }
      #expect(connection.machine.runningHandlers <= ProbeLimits.streamsMax, comment)
    case .rapidReset:
      peer.flood(cancels: true)
      let last = UInt32.max
      peer.say(FrameHeader(kind: .ping, value: last))
      peer.flush()
      try await until(loop, "a flood is not read to its end: \(comment)") {
        peer.raw.frames.contains { $0.header.kind == .pong && $0.header.value == last }
      }
      #expect(connection.machine.runningHandlers <= ProbeLimits.streamsMax, comment)
    }
  }

  /// Waits for what the other side does, within a bound.
  private static func until(_ loop: EventLoop, _ comment: Comment, _ condition: () -> Bool) async throws {
    for _ in 0..<2_500 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    try #require(condition(), comment)
  }
}
