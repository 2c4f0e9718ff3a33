import API
import EventLoop
import TestSupport
import Testing

@testable import RPC

/// What a client makes of servers that break the rules: every call ends, with an error that says what happened.
@Suite struct HostileServerTests {
  /// A server that answers each connection as it is told to.
  // Confined to the loop of its test.
  private final class Server: @unchecked Sendable {
    private var listener: TCPListener!
    private(set) var peers: [Peer] = []

    init(loop: EventLoop, _ behaviour: @escaping (Peer) -> Void) throws {
      listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { [unowned self] tcp in
        let peer = Peer(tcp, number: peers.count + 1, behaviour)
        peers.append(peer)
        tcp.delegate = peer
        tcp.start()
      }
    }

    var port: Int { listener.port }
    func close() { listener.close() }
  }

  // Confined to the loop of its test.
  private final class Peer: TCPConnectionDelegate, @unchecked Sendable {
    let tcp: TCPConnection
    let number: Int
    private let behaviour: (Peer) -> Void
    private var decoder = FrameDecoder(payloadLimit: 1 << 20)
    private(set) var frames: [FrameHeader] = []
    private(set) var isClosed = false

    init(_ tcp: TCPConnection, number: Int, _ behaviour: @escaping (Peer) -> Void) {
      self.tcp = tcp
      self.number = number
      self.behaviour = behaviour
    }

    func send(_ append: (inout [UInt8]) -> Void) {
      var bytes: [UInt8] = []
      append(&bytes)
      tcp.write(&bytes)
    }

    func send(_ header: FrameHeader) { send { header.append(to: &$0) } }

    func greet(streamsMax: UInt32 = 100, callWindow: UInt32 = 1 << 20, connectionWindow: UInt32 = 1 << 20) {
      send {
        Hello(
          payloadBytesMax: 1 << 20, streamsMax: streamsMax, pingIntervalMillisecondsMin: 0, callWindow: callWindow,
          connectionWindow: connectionWindow
        ).append(to: &$0)
      }
    }

    func goAway(lastStream: UInt32) {
      send(FrameHeader(kind: .goAway, stream: lastStream, code: GoAwayReason.shutdown.rawValue))
    }

    func count(_ kind: FrameKind) -> Int { frames.count { $0.kind == kind } }

    func received(_ bytes: borrowing RawSpan) {
      try? decoder.decode(bytes) { header, _ in
        frames.append(header)
        behaviour(self)
        return true
      }
    }
    func writable() {}
    func closed(_ error: IOError?) { isClosed = true }
  }

  /// Makes one call to a server that behaves like this, and returns the error it ends with.
  private static func outcome(
    timeout: Duration = .seconds(5), connectTimeout: Duration = .seconds(5),
    of behaviour: @escaping @Sendable (Peer) -> Void
  ) async throws -> RPCError? {
    try await onLoop { loop in
      let server = try Server(loop: loop, behaviour)
      defer { server.close() }
      return try await withClient(loop, port: server.port, connectTimeout: connectTimeout) { client in
        await error(of: client, CallOptions(timeout: timeout, waitsForReady: true))
      }
    }
  }

  private static func withClient<Result: Sendable>(
    _ loop: EventLoop, port: Int, connectTimeout: Duration = .seconds(5),
    _ body: (RPCClient) async throws -> Result
  ) async throws -> Result {
    var options = RPCClient.Options()
    options.connectTimeout = connectTimeout
    let client = RPCClient(loop: loop, host: "127.0.0.1", port: port, options: options)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await client.run() }
      defer { group.cancelAll() }
      return try await body(client)
    }
  }

  private static func error(of client: RPCClient, _ options: CallOptions) async -> RPCError? {
    do {
      _ = try await OrdersClient(client).createOrder(RPCTests.request, options: options)
      return nil
    } catch {
      return error as? RPCError
    }
  }

  private static func until(_ loop: EventLoop, _ condition: () -> Bool) async throws {
    for _ in 0..<1_000 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    try #require(condition())
  }

  @Test func `a server that never greets is given up within the time to connect`() async throws {
    let error = try await Self.outcome(timeout: .milliseconds(200), connectTimeout: .milliseconds(50)) { _ in }
    #expect(
      error?.code == .unavailable && error?.message.contains("did not greet") == true, "\(String(describing: error))")
  }

  @Test func `a hello of another protocol is no hello`() async throws {
    let error = try await Self.outcome(timeout: .milliseconds(100)) { peer in
      peer.send { FrameHeader(kind: .hello).append(payload: Array(repeating: 7, count: 20), to: &$0) }
    }
    #expect(error?.code == .internal && error?.message.contains("another protocol or version") == true)
  }

  @Test func `bytes that are no frame end the call under way`() async throws {
    let error = try await Self.outcome { peer in
      if peer.frames.count == 1 { peer.greet() } else { peer.send { $0 = Array(repeating: 0xA5, count: 24) } }
    }
    #expect(error?.code == .internal && error?.message.contains("does not speak this protocol") == true)
  }

  @Test func `a response to a call that never was ends the connection`() async throws {
    let error = try await Self.outcome { peer in
      if peer.frames.count == 1 { return peer.greet() }
      peer.send { FrameHeader(kind: .response, stream: 99).append(to: &$0) }
    }
    #expect(error?.code == .internal && error?.message.contains("stream 99") == true)
  }

  @Test func `a server that hangs up in the middle of a call fails it as unavailable`() async throws {
    let error = try await Self.outcome { peer in
      if peer.frames.count == 1 { peer.greet() } else { peer.tcp.abort() }
    }
    #expect(error?.code == .unavailable && error?.reason == "CONNECTION_LOST")
  }

  @Test func `a response that is no message fails its call alone`() async throws {
    let error = try await Self.outcome { peer in
      if peer.frames.count == 1 { return peer.greet() }
      peer.send { FrameHeader(kind: .response, stream: 1).append(payload: [1, 2, 3], to: &$0) }
    }
    #expect(error?.code == .internal && error?.message.contains("cannot be decoded") == true)
  }

  @Test func `an error without details, or with a status nobody knows, is still an error`() async throws {
    for (code, expected) in [(5, StatusCode.notFound), (900, .unknown)] as [(UInt16, StatusCode)] {
      let error = try await Self.outcome { peer in
        if peer.frames.count == 1 { return peer.greet() }
        peer.send { FrameHeader(kind: .response, stream: 1, code: code).append(payload: [9], to: &$0) }
      }
      #expect(error?.code == expected && error?.message == "the server gave no details")
    }
  }

  @Test func `a server that answers nothing is left at the deadline, and told so`() async throws {
    try await onLoop { loop in
      let server = try Server(loop: loop) { if $0.frames.count == 1 { $0.greet() } }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { client in
        let error = await Self.error(of: client, CallOptions(timeout: .milliseconds(50), waitsForReady: true))
        #expect(error?.code == .deadlineExceeded)
        try await loop.sleep(for: .milliseconds(20))
        #expect(server.peers.first?.frames.map(\.kind) == [.hello, .request, .cancel])
      }
    }
  }

  @Test func `a server that greets and hangs up is not stormed`() async throws {
    try await onLoop { loop in
      let server = try Server(loop: loop) {
        $0.greet()
        $0.tcp.close()
      }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { _ in try await loop.sleep(for: .milliseconds(300)) }
      #expect((1...8).contains(server.peers.count), "\(server.peers.count) connections in 0.3 s")
    }
  }

  @Test func `a server that goes away gets nothing more, and its connection is closed when it is drained`() async throws
  {
    try await onLoop { loop in
      let server = try Server(loop: loop) { peer in
        switch peer.frames.count {
        case 1: peer.greet()
        case 2:
          // Sees the first call and not the second, and never hangs up by itself.
          peer.send(FrameHeader(kind: .goAway, stream: 1, code: GoAwayReason.shutdown.rawValue))
          peer.send(FrameHeader(kind: .response, stream: 1, code: StatusCode.aborted.rawValue))
        default: break
        }
      }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { client in
        let options = CallOptions(timeout: .milliseconds(500), waitsForReady: true)
        async let first = Self.error(of: client, options)
        async let second = Self.error(of: client, options)
        let codes = await [first?.code, second?.code]
        // The second call was made again on a second connection, where it was the first.
        #expect(codes == [.aborted, .aborted])
        #expect(server.peers.count >= 2 && server.peers[0].isClosed)
      }
    }
  }

  @Test func `a call that cannot begin on a new connection disturbs no other`() async throws {
    try await onLoop { loop in
      // The first connection goes away without having seen a call; the second has room for one alone.
      let server = try Server(loop: loop) { peer in
        if peer.frames.count == 1 {
          peer.greet(streamsMax: peer.number == 1 ? 100 : 1)
        } else if peer.number == 1, peer.frames.count == 9 {
          peer.send(FrameHeader(kind: .goAway, code: GoAwayReason.shutdown.rawValue))
        } else if peer.number == 2 {
          peer.send(FrameHeader(kind: .response, stream: 1, code: StatusCode.aborted.rawValue))
        }
      }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { client in
        let codes = await withTaskGroup(of: StatusCode?.self) { group in
          for _ in 0..<8 {
            group.addTask { await Self.error(of: client, CallOptions(timeout: .seconds(2), waitsForReady: true))?.code }
          }
          return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.count { $0 == .aborted } == 1 && codes.count { $0 == .resourceExhausted } == 7, "\(codes)")
      }
    }
  }

  @Test(arguments: [false, true])
  func `a call that only the second goAway leaves unseen is made again`(isConnectedAgain: Bool) async throws {
    try await onLoop { loop in
      let server = try Server(loop: loop) { peer in
        if peer.frames.count == 1 { return peer.greet() }
        if peer.number == 2 { return peer.send(FrameHeader(kind: .response, stream: 1, code: 10)) }
        peer.goAway(lastStream: .max)
        if !isConnectedAgain { peer.goAway(lastStream: 0) }
      }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { client in
        async let error = Self.error(of: client, CallOptions(timeout: .seconds(5), waitsForReady: true))
        try await Self.until(loop) { server.peers.count == 2 && client.state == .ready }
        if isConnectedAgain { server.peers[0].goAway(lastStream: 0) }
        #expect(await error?.code == .aborted)
      }
    }
  }

  @Test func `a stream that was finished without a message is finished again where it is moved to`() async throws {
    try await onLoop { loop in
      let server = try Server(loop: loop) { peer in
        if peer.frames.count == 1 { return peer.greet() }
        guard peer.count(.end) == 1 else { return }
        if peer.number == 1 { return peer.goAway(lastStream: 0) }
        peer.send(FrameHeader(kind: .response, stream: 1, code: StatusCode.aborted.rawValue))
      }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { client in
        let call = ProbeClient(client).consume(options: CallOptions(timeout: .seconds(2), waitsForReady: true))
        call.finish()
        await #expect { try await call.response() } throws: { ($0 as? RPCError)?.code == .aborted }
      }
    }
  }

  @Test func `a stream whose last sender gives up is finished all the same`() async throws {
    try await onLoop { loop in
      let server = try Server(loop: loop) { if $0.frames.count == 1 { $0.greet(callWindow: 0) } }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { client in
        try await Self.until(loop) { client.state == .ready }
        let call = ProbeClient(client).consume()
        let sending = loop.startTask { try? await call.send(Piece(number: 1)) }
        call.finish()
        sending.cancel()
        await sending.value
        try await Self.until(loop) { server.peers[0].count(.end) == 1 }
        #expect(server.peers[0].count(.message) == 0)
        await #expect(throws: RPCError.self) { try await call.send(Piece(number: 2)) }
      }
    }
  }

  @Test func `nothing is sent after a finish, also when messages wait`() async throws {
    try await onLoop { loop in
      let server = try Server(loop: loop) { if $0.frames.count == 1 { $0.greet(callWindow: 0) } }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { client in
        try await Self.until(loop) { client.state == .ready }
        let call = ProbeClient(client).consume()
        let sending = loop.startTask { try? await call.send(Piece(number: 1)) }
        call.finish()
        let late = loop.startTask {
          await #expect { try await call.send(Piece(number: 2)) } throws: {
            ($0 as? RPCError)?.code == .failedPrecondition
          }
        }
        try await Self.until(loop) { server.peers[0].count(.request) == 1 }
        server.peers[0].send(FrameHeader(kind: .credit, stream: 1, value: 1_000))
        await sending.value
        await late.value
        try await Self.until(loop) { server.peers[0].count(.end) == 1 }
        #expect(server.peers[0].count(.message) == 1)
      }
    }
  }

  @Test func `a stream that was moved waits for the credit of its new connection alone`() async throws {
    try await onLoop { loop in
      let server = try Server(loop: loop) { peer in
        if peer.frames.count > 1 { return }
        if peer.number == 1 { peer.greet(connectionWindow: 0) } else { peer.greet(callWindow: 0) }
      }
      defer { server.close() }
      try await Self.withClient(loop, port: server.port) { client in
        try await Self.until(loop) { client.state == .ready }
        let (kept, moved) = (ProbeClient(client).consume(), ProbeClient(client).consume())
        let sending = loop.startTask { try? await moved.send(Piece(number: 1)) }
        try await Self.until(loop) { server.peers[0].count(.request) == 2 }
        server.peers[0].goAway(lastStream: 1)
        try await Self.until(loop) { server.peers.count == 2 && server.peers[1].count(.request) == 1 }
        server.peers[0].send(FrameHeader(kind: .credit, value: 1_000))
        try await kept.send(Piece(number: 1))
        try await Self.until(loop) { server.peers[0].count(.message) == 1 }
        #expect(server.peers[1].count(.message) == 0)
        server.peers[1].send(FrameHeader(kind: .credit, stream: 1, value: 1_000))
        await sending.value
        try await Self.until(loop) { server.peers[1].count(.message) == 1 }
      }
    }
  }

  @Test func `a server that pings all the time is left`() async throws {
    let error = try await Self.outcome { peer in
      if peer.frames.count == 1 { return peer.greet() }
      if peer.count(.request) == 1, peer.count(.pong) == 0 {
        for number in 0..<10 { peer.send(FrameHeader(kind: .ping, value: UInt32(number))) }
      }
    }
    #expect(error?.code == .internal && error?.message.contains("pings") == true, "\(String(describing: error))")
  }

  @Test func `a client that ends while a server is greeting leaves no connection behind`() async throws {
    try await onLoop { loop in
      let server = try Server(loop: loop) { _ in }
      defer { server.close() }
      let start = loop.now
      try await Self.withClient(loop, port: server.port) { _ in
        for _ in 0..<100 where server.peers.first?.frames.isEmpty != false {
          try await loop.sleep(for: .milliseconds(2))
        }
      }
      #expect(loop.now - start < .seconds(2))
      for _ in 0..<100 where server.peers.first?.isClosed != true { try await loop.sleep(for: .milliseconds(5)) }
      #expect(server.peers.map(\.isClosed) == [true])
    }
  }
}
