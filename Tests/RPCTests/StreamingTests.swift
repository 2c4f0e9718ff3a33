import API
import EventLoop
import Probe
import TestSupport
import Testing
import Wire

@testable import RPC

@Suite struct StreamingTests {
  /// Runs `body` with a client that is connected to a server of the probe service.
  static func withProbe<Result: Sendable>(
    limits: RPCServer.Limits = .init(), options: RPCClient.Options = .init(),
    _ body: @escaping @Sendable (EventLoop, RPCServer, ProbeClient) async throws -> Result
  ) async throws -> Result {
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [ProbeImplementation().definition],
        limits: limits)
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port, options: options)
      return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await server.run() }
        group.addTask { await client.run() }
        defer { group.cancelAll() }
        try await client.untilConnected()
        return try await body(loop, server, ProbeClient(client))
      }
    }
  }

  private static func error(_ body: () async throws -> Void) async -> RPCError? {
    do { try await body() } catch { return error as? RPCError }
    return nil
  }

  /// Waits for something that the other side does, within a bound.
  private static func until(_ loop: EventLoop, _ condition: () -> Bool) async throws {
    for _ in 0..<2_500 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    #expect(condition())
  }

  @Test func `a stream of responses comes whole and in order`() async throws {
    try await Self.withProbe { _, _, probe in
      var expected: UInt64 = 0
      for try await piece in probe.produce(ProduceRequest(count: 5_000, size: 1_000)) {
        #expect(piece.number == expected && piece.payload.count == 1_000)
        expected += 1
      }
      #expect(expected == 5_000)
    }
  }

  @Test func `an empty stream of responses ends at once`() async throws {
    try await Self.withProbe { _, _, probe in
      for try await _ in probe.produce(ProduceRequest()) { Issue.record("a piece of nothing") }
    }
  }

  @Test func `a stream that fails gives what came before its status`() async throws {
    try await Self.withProbe { _, _, probe in
      var count = 0
      let error = await Self.error {
        for try await _ in probe.produce(ProduceRequest(count: 3, size: 10, status: 9)) { count += 1 }
      }
      #expect(count == 3 && error?.code == .failedPrecondition)
    }
  }

  @Test func `a stream of requests is answered once`() async throws {
    try await Self.withProbe { _, _, probe in
      let call = probe.consume()
      for number in 0..<3_000 {
        try await call.send(Piece(number: UInt64(number), payload: [UInt8](repeating: 7, count: 500)))
      }
      call.finish()
      #expect(try await call.response() == ConsumeResponse(count: 3_000, bytes: 1_500_000))
    }
  }

  @Test func `both sides stream at once, far beyond their windows`() async throws {
    try await Self.withProbe { _, _, probe in
      let call = probe.echo()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for number in 0..<4_000 {
            try await call.send(Piece(number: UInt64(number), payload: [UInt8](repeating: 1, count: 900)))
          }
          call.finish()
        }
        var expected: UInt64 = 0
        for try await piece in call {
          #expect(piece.number == expected)
          expected += 1
        }
        #expect(expected == 4_000)
        try await group.waitForAll()
      }
    }
  }

  @Test func `a message larger than the window passes`() async throws {
    var limits = RPCServer.Limits()
    limits.callWindow = 100
    limits.connectionWindow = 200
    var options = RPCClient.Options()
    options.callWindow = 50
    options.connectionWindow = 60
    try await Self.withProbe(limits: limits, options: options) { _, _, probe in
      let call = probe.echo()
      for number in 0..<20 {
        try await call.send(Piece(number: UInt64(number), payload: [UInt8](repeating: 1, count: 10_000)))
        var iterator = call.makeAsyncIterator()
        #expect(try await iterator.next()?.payload.count == 10_000)
      }
      call.finish()
    }
  }

  @Test func `a reader that stops reading stops the sender at its window`() async throws {
    try await Self.withProbe { loop, server, probe in
      let call = probe.produce(ProduceRequest(count: 1_000_000, size: 1_000))
      var iterator = call.makeAsyncIterator()
      _ = try await iterator.next()
      try await Self.until(loop) { server.inspection.connections.first?.blockedCalls == 1 }
      let sent = server.inspection.connections[0].bytesSent
      for _ in 0..<20 { try await loop.sleep(for: .milliseconds(2)) }
      #expect(server.inspection.connections[0].bytesSent == sent)
      #expect(sent < (256 << 10) + 10_000)
      // Other calls of the connection go on beside it.
      #expect(try await probe.ask(AskRequest(payload: [1])).payload == [1])
      _ = call
    }
  }

  @Test func `a reader that goes on gets everything`() async throws {
    try await Self.withProbe { loop, server, probe in
      let call = probe.produce(ProduceRequest(count: 2_000, size: 1_000))
      var iterator = call.makeAsyncIterator()
      try await Self.until(loop) { server.inspection.connections.first?.blockedCalls == 1 }
      var count = 0
      while try await iterator.next() != nil { count += 1 }
      #expect(count == 2_000)
    }
  }

  @Test func `a call that nobody holds any more is cancelled, and its window given back`() async throws {
    var options = RPCClient.Options()
    options.connectionWindow = 64 << 10
    try await Self.withProbe(options: options) { loop, server, probe in
      for _ in 0..<50 {
        var iterator = probe.produce(ProduceRequest(count: 1_000_000, size: 1_000)).makeAsyncIterator()
        _ = try await iterator.next()
      }
      try await Self.until(loop) { server.inspection.connections.first?.handlersRunning == 0 }
      var count = 0
      for try await _ in probe.produce(ProduceRequest(count: 500, size: 1_000)) { count += 1 }
      #expect(count == 500)
    }
  }

  @Test func `the server's early answer ends the sender`() async throws {
    var limits = RPCServer.Limits()
    limits.streamTimeoutMax = .milliseconds(50)
    try await Self.withProbe(limits: limits) { _, _, probe in
      let call = probe.consume()
      let error = await Self.error {
        while true { try await call.send(Piece(payload: [UInt8](repeating: 7, count: 100_000))) }
      }
      #expect(error?.code == .deadlineExceeded)
      #expect(await Self.error { _ = try await call.response() }?.code == .deadlineExceeded)
    }
  }

  @Test func `a message that breaks its type ends the call and nothing else`() async throws {
    try await Self.withProbe { _, _, probe in
      guard let channel = probe.channel as? RPCClient else { return }
      let method = MethodReference<RawMessage, RawMessage>(
        id: ProbeMethods.consume.id, name: "", isIdempotent: false, requestIsStream: true)
      let call = channel.stream(method, nil, .streaming)
      try await call.send(RawMessage([1, 2, 3]))
      #expect(await Self.error { _ = try await call.response() }?.code == .invalidArgument)
      #expect(try await probe.ask(AskRequest(payload: [1])).payload == [1])
    }
  }

  @Test func `a call of the wrong shape is told the right one`() async throws {
    try await Self.withProbe { _, _, probe in
      guard let channel = probe.channel as? RPCClient else { return }
      let error = await Self.error {
        _ = try await channel.call(method: ProbeMethods.echo.id, payload: [], options: CallOptions())
      }
      #expect(error?.code == .unimplemented && error?.reason == "SHAPE_MISMATCH")
      #expect(error?.message.contains("a stream of requests and a stream of responses") == true)
    }
  }

  @Test(arguments: [
    (1 << 20, "the caller asked for ABORTED", "WHY"), (60, "", "WHY"), (42, "the server gave no details", ""),
  ])
  func `an error is shortened to what the caller accepts`(limit: Int, message: String, reason: String) async throws {
    var options = RPCClient.Options()
    options.payloadBytesMax = limit
    try await Self.withProbe(options: options) { _, _, probe in
      let error = await Self.error { _ = try await probe.ask(AskRequest(status: 10, reason: "WHY")) }
      #expect(error == RPCError(.aborted, message, reason: reason))
    }
  }

  @Test func `a cancelled reader gives the call up`() async throws {
    try await Self.withProbe { loop, server, probe in
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          do {
            for try await _ in probe.produce(ProduceRequest(count: 5, size: 1, intervalMilliseconds: 60_000)) {}
            Issue.record("the stream ended well")
          } catch {
            #expect(error is CancellationError)
          }
        }
        try? await Self.until(loop) { server.inspection.connections.first?.handlersRunning == 1 }
        group.cancelAll()
      }
      try await Self.until(loop) { server.inspection.connections.first?.handlersRunning == 0 }
    }
  }

  @Test func `a lost connection fails the streams of both sides`() async throws {
    try await Self.withProbe { loop, server, probe in
      let call = probe.echo()
      try await call.send(Piece(number: 1))
      var iterator = call.makeAsyncIterator()
      #expect(try await iterator.next()?.number == 1)
      for connection in server.connections.values { connection.abort() }
      #expect(await Self.error { _ = try await iterator.next() }?.reason == "CONNECTION_LOST")
      #expect(await Self.error { try await call.send(Piece()) }?.reason == "CONNECTION_LOST")
    }
  }

  @Test func `a server that shuts down ends endless streams with a word`() async throws {
    var limits = RPCServer.Limits()
    limits.drainTimeout = .milliseconds(100)
    try await Self.withProbe(limits: limits) { loop, server, probe in
      let call = probe.produce(ProduceRequest(count: 1_000_000, size: 1, intervalMilliseconds: 60_000))
      var iterator = call.makeAsyncIterator()
      try await Self.until(loop) { server.inspection.connections.first?.handlersRunning == 1 }
      server.beginGracefulShutdown()
      #expect(await Self.error { _ = try await iterator.next() }?.reason == "DRAINING")
    }
  }

  @Test func `streams that begin before there is a connection go out once there is one`() async throws {
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [ProbeImplementation().definition])
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port)
      let probe = ProbeClient(client)
      let call = probe.echo(options: CallOptions(timeout: .seconds(5), waitsForReady: true))
      try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        group.addTask { await server.run() }
        group.addTask { await client.run() }
        for number in 0..<3 { try await call.send(Piece(number: UInt64(number))) }
        call.finish()
        var count: UInt64 = 0
        for try await piece in call {
          #expect(piece.number == count)
          count += 1
        }
        #expect(count == 3)
      }
    }
  }

  @Test func `health is watched as it changes, until the server shuts down`() async throws {
    let problem = Locked<String?>(nil)
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [],
        health: {
          let reason = problem.withLock { $0 }
          return ServerHealth([
            DependencyHealth(name: "db", status: reason == nil ? .serving : .notServing, reason: reason ?? "")
          ])
        })
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port)
      try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        group.addTask { await server.run() }
        group.addTask { await client.run() }
        try await client.untilConnected()
        var iterator = ServerClient(client).watchHealth(WatchHealthRequest()).makeAsyncIterator()
        #expect(try await iterator.next()?.status == .serving)
        problem.withLock { $0 = "gone" }
        #expect(try await iterator.next()?.dependencies.map(\.reason) == ["gone"])
        server.beginGracefulShutdown()
        #expect(try await iterator.next()?.dependencies.map(\.name) == ["db", "server"])
        #expect(try await iterator.next() == nil)
      }
    }
  }
}
