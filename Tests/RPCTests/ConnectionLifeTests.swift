import API
import EventLoop
import Probe
import TestSupport
import Testing
import Wire

@testable import RPC

/// How connections are let in, looked after and let go.
@Suite struct ConnectionLifeTests {
  private static let hello: [UInt8] = {
    var frame: [UInt8] = []
    Hello(payloadBytesMax: 1 << 20, streamsMax: 0).append(to: &frame)
    return frame
  }()

  /// Runs `body` with a peer that is connected to a server of the probe service.
  private static func withPeer(
    _ limits: RPCServer.Limits = .init(), token: ServiceToken? = nil,
    _ body: @escaping @Sendable (EventLoop, RPCServer, RawPeer) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [ProbeImplementation().definition],
        limits: limits, token: token)
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      try await body(loop, server, peer)
    }
  }

  private static func reason(_ peer: RawPeer) -> GoAwayReason? {
    guard let last = peer.frames.last, last.header.kind == .goAway else { return nil }
    return GoAwayReason(rawValue: last.header.code)
  }

  private static func connect(_ server: RPCServer, _ loop: EventLoop, token: String?) async -> RPCError? {
    var options = RPCClient.Options()
    options.token = token.map(ServiceToken.init)
    let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port, options: options)
    return await withTaskGroup(of: Void.self) { group in
      group.addTask { await client.run() }
      defer { group.cancelAll() }
      do throws(RPCError) {
        try await client.untilConnected()
        return nil
      } catch {
        return error
      }
    }
  }

  @Test func `only who presents the token is let in, and the others learn what to set`() async throws {
    try await Self.withPeer(token: ServiceToken("correct horse battery")) { loop, server, _ in
      #expect(await Self.connect(server, loop, token: "correct horse battery") == nil)
      for wrong in [nil, "", "correct horse batterz", "correct horse", "correct horse battery!"] {
        let error = await Self.connect(server, loop, token: wrong)
        #expect(error?.code == .unauthenticated, "\(wrong ?? "nil")")
        #expect(error?.message.contains("GOZON_SERVICE_TOKEN") == true)
      }
    }
  }

  @Test func `a token says nothing of itself`() {
    #expect("\(ServiceToken("correct horse battery"))" == "service token")
  }

  @Test func `a silent client is asked for a sign of life, and let go without one`() async throws {
    var limits = RPCServer.Limits()
    limits.keepalive.interval = .milliseconds(40)
    try await Self.withPeer(limits) { _, server, peer in
      peer.send { $0 = Self.hello }
      try await peer.until(\.isClosed)
      #expect(peer.frames.map(\.header.kind) == [.hello, .ping])
      #expect(server.connections.isEmpty)
    }
  }

  @Test func `a client that answers pings stays, until it has not called for long`() async throws {
    var limits = RPCServer.Limits()
    limits.keepalive.interval = .milliseconds(20)
    limits.keepalive.idleMax = .milliseconds(150)
    try await Self.withPeer(limits) { loop, server, _ in
      var options = RPCClient.Options()
      options.backoffMin = .seconds(60)
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port, options: options)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        defer { group.cancelAll() }
        try? await client.untilConnected()
        for _ in 0..<2_500 where client.state == .ready { try? await loop.sleep(for: .milliseconds(2)) }
        #expect(client.state.problem?.message.contains("idle") == true)
        #expect(loop.now - server.started >= .milliseconds(150))
      }
    }
  }

  @Test func `a server pings no more often than its client wants`() async throws {
    var limits = RPCServer.Limits()
    limits.keepalive.interval = .milliseconds(20)
    limits.keepalive.idleMax = .milliseconds(150)
    try await Self.withPeer(limits) { _, _, peer in
      peer.send {
        Hello(payloadBytesMax: 1 << 20, streamsMax: 0, pingIntervalMillisecondsMin: 60_000).append(to: &$0)
      }
      try await peer.until { $0.frames.contains { $0.header.kind == .goAway } }
      #expect(peer.frames.prefix(2).map(\.header.kind) == [.hello, .goAway])
    }
  }

  @Test func `a client whose calls are answered at once is not idle`() async throws {
    var limits = RPCServer.Limits()
    limits.keepalive.idleMax = .milliseconds(200)
    try await Self.withPeer(limits) { loop, server, peer in
      peer.send { $0 = Self.hello }
      for stream in 1...60 {
        peer.send {
          FrameHeader(kind: .request, stream: UInt32(stream), code: 0x0101, value: 1_000)
            .append(payload: Array(repeating: 0, count: 8), to: &$0)
        }
        try await loop.sleep(for: .milliseconds(10))
      }
      #expect(peer.frames.allSatisfy { $0.header.kind != .goAway })
      #expect(peer.frames.contains { $0.header.kind == .response })
    }
  }

  @Test func `a client looks after a server that says nothing`() async throws {
    try await onLoop { loop in
      var peers: [RawPeer] = []
      let listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { tcp in
        let peer = RawPeer(loop: loop, tcp)
        peer.send { Hello(payloadBytesMax: 1 << 20, streamsMax: 9, pingIntervalMillisecondsMin: 1).append(to: &$0) }
        peers.append(peer)
      }
      defer { listener.close() }
      var options = RPCClient.Options()
      options.keepalive.interval = .milliseconds(30)
      options.backoffMin = .seconds(60)
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: listener.port, options: options)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        defer { group.cancelAll() }
        try? await client.untilConnected()
        for _ in 0..<2_500 where client.state == .ready { try? await loop.sleep(for: .milliseconds(2)) }
        #expect(client.state.problem?.message.contains("no sign of life") == true)
        #expect(peers.first?.frames.map(\.header.kind) == [.hello, .ping])
      }
    }
  }

  @Test func `a client that pings all the time is let go`() async throws {
    try await Self.withPeer { _, _, peer in
      peer.send { bytes in
        bytes = Self.hello
        for number in 1...5 as ClosedRange<UInt32> { FrameHeader(kind: .ping, value: number).append(to: &bytes) }
      }
      try await peer.until(\.isClosed)
      #expect(peer.frames.map(\.header.kind) == [.hello, .pong, .pong, .pong, .pong, .goAway])
      #expect(Self.reason(peer) == .tooManyPings)
    }
  }

  @Test func `a connection too many is told so`() async throws {
    var limits = RPCServer.Limits()
    limits.connectionsMax = 1
    try await Self.withPeer(limits) { loop, server, first in
      first.send { $0 = Self.hello }
      try await first.until { $0.frames.count == 1 }
      let second = RawPeer(loop: loop)
      try await second.connect(port: server.port)
      try await second.until(\.isClosed)
      #expect(Self.reason(second) == .tooManyConnections)
      #expect(!first.isClosed && server.connections.count == 1)
    }
  }

  @Test func `a client that reads nothing of what it asked for is let go before it costs much`() async throws {
    var limits = RPCServer.Limits()
    limits.backlogBytesMax = 1 << 20
    try await Self.withPeer(limits) { loop, server, peer in
      peer.pause()
      // The answers come later, when nothing holds the requests back any more.
      let request = AskRequest(payload: [UInt8](repeating: 1, count: 1 << 19), delayMilliseconds: 300).encoded()
      peer.send { bytes in
        bytes = Self.hello
        for stream in 1...40 as ClosedRange<UInt32> {
          FrameHeader(kind: .request, stream: stream, code: ProbeMethods.ask.id, value: 60_000)
            .append(payload: request, to: &bytes)
        }
      }
      for _ in 0..<2_500 where !server.connections.isEmpty { try await loop.sleep(for: .milliseconds(2)) }
      #expect(server.connections.isEmpty)
    }
  }

  @Test func `calls that are cancelled as they begin leave nothing behind`() async throws {
    try await Self.withPeer { loop, server, peer in
      peer.send { $0 = Self.hello }
      let produce = ProduceRequest(count: .max, size: 100, intervalMilliseconds: 50_000).encoded()
      for round in 0..<20 as Range<UInt32> {
        peer.send { bytes in
          for number in 1...1_000 as ClosedRange<UInt32> {
            let stream = round * 1_000 + number
            FrameHeader(
              kind: .request, stream: stream, flags: .responsesStream, code: ProbeMethods.produce.id, value: 60_000
            ).append(payload: produce, to: &bytes)
            FrameHeader(kind: .cancel, stream: stream).append(to: &bytes)
          }
        }
        try await loop.sleep(for: .milliseconds(1))
      }
      for _ in 0..<2_500 where server.inspection.connections.first?.callsStarted != 20_000 {
        try await loop.sleep(for: .milliseconds(2))
      }
      for _ in 0..<2_500 where server.inspection.connections.first?.handlersRunning != 0 {
        try await loop.sleep(for: .milliseconds(2))
      }
      let told = try #require(server.inspection.connections.first)
      #expect(told.callsStarted == 20_000 && told.callsActive == 0 && told.handlersRunning == 0)
      #expect(server.connections.values.first?.link?.flow.calls.isEmpty == true)
      let method = try #require(server.inspection.methods.first { $0.name.hasSuffix("Produce") })
      #expect(method.active == 0 && method.ended == [StatusCount(status: .cancelled, count: 20_000)])
    }
  }
}
