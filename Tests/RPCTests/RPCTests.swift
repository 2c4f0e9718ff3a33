import API
import EventLoop
import TestSupport
import Testing
import Wire

@testable import RPC

@Suite struct RPCTests {
  /// Runs `body` with a client that is connected to a server of ``EchoOrders``.
  static func withPair<Result: Sendable>(
    limits: RPCServer.Limits = .init(), service: EchoOrders = EchoOrders(),
    _ body: @escaping @Sendable (EventLoop, RPCServer, RPCClient) async throws -> Result
  ) async throws -> Result {
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [service.definition], limits: limits)
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port)
      return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await server.run() }
        group.addTask { await client.run() }
        defer { group.cancelAll() }
        return try await body(loop, server, client)
      }
    }
  }

  static let options = CallOptions(timeout: .seconds(5), waitsForReady: true)
  static let request = CreateOrderRequest(userId: UUID(high: 1, low: 2), amount: 10, id: UUID(high: 3, low: 4))

  private static func request(_ description: String) -> CreateOrderRequest {
    var request = Self.request
    request.description = description
    return request
  }

  private static func error(_ body: () async throws -> Void) async -> RPCError? {
    do { try await body() } catch { return error as? RPCError }
    return nil
  }

  @Test func `a call returns what the handler made of its request`() async throws {
    try await Self.withPair { _, _, client in
      let order = try await OrdersClient(client).createOrder(Self.request, options: Self.options)
      #expect(order.id == UUID(high: 3, low: 4) && order.amount == 10)
    }
  }

  @Test func `many calls share one connection`() async throws {
    let sum = try await Self.withPair { _, _, client in
      try await withThrowingTaskGroup(of: Int64.self) { group in
        for amount in 1...2_000 {
          group.addTask {
            var request = Self.request(amount % 10 == 0 ? "slow" : "")
            request.amount = Int64(amount)
            return try await OrdersClient(client).createOrder(request, options: Self.options).amount
          }
        }
        return try await group.reduce(0, +)
      }
    }
    #expect(sum == 2_001_000)
  }

  @Test func `an error travels with its reason, violations and retry hint`() async throws {
    let error = try await Self.withPair { _, _, client in
      await Self.error {
        _ = try await OrdersClient(client).createOrder(Self.request("conflict"), options: Self.options)
      }
    }
    let expected = RPCError(
      .alreadyExists, "it exists", reason: "ORDER_EXISTS",
      violations: [Violation(pointer: "/id", detail: "taken")], retryAfter: .milliseconds(1_500))
    #expect(error == expected)
  }

  @Test func `a handler's own error stays in the server`() async throws {
    let error = try await Self.withPair { _, _, client in
      await Self.error { _ = try await OrdersClient(client).createOrder(Self.request("crash"), options: Self.options) }
    }
    #expect(error?.code == .internal)
    #expect(error?.message.contains("Crash") == false)
  }

  @Test func `a request that breaks its schema is refused with each field`() async throws {
    let error = try await Self.withPair { _, _, client in
      await Self.error {
        _ = try await OrdersClient(client).createOrder(
          CreateOrderRequest(userId: .zero, amount: -1, currency: "rub"), options: Self.options)
      }
    }
    #expect(error?.code == .invalidArgument)
    #expect(error?.violations.map(\.pointer) == ["/amount", "/currency"])
  }

  @Test func `metadata travels both ways`() async throws {
    try await Self.withPair { _, _, client in
      var options = Self.options
      options.metadata = ["ping": "pong"]
      let result = try await client.call(
        method: OrdersMethods.createOrder.id, payload: Self.request("metadata").encoded(), options: options)
      #expect(result.metadata["echo"] == "pong")
    }
  }

  @Test func `a deadline ends the call and the handler`() async throws {
    let cancelled = Locked(0)
    let error = try await Self.withPair(service: EchoOrders(onCancel: { cancelled.withLock { $0 += 1 } })) {
      loop, _, client in
      _ = try await OrdersClient(client).createOrder(Self.request, options: Self.options)
      let error = await Self.error {
        _ = try await OrdersClient(client).createOrder(Self.request("hang"), options: .init(timeout: .milliseconds(40)))
      }
      try await loop.sleep(for: .milliseconds(60))
      return error
    }
    #expect(error?.code == .deadlineExceeded)
    #expect(cancelled.withLock { $0 } == 1)
  }

  @Test func `a cancelled caller stops the handler`() async throws {
    let cancelled = Locked(0)
    try await Self.withPair(service: EchoOrders(onCancel: { cancelled.withLock { $0 += 1 } })) { loop, _, client in
      _ = try await OrdersClient(client).createOrder(Self.request, options: Self.options)
      await withTaskGroup(of: RPCError?.self) { group in
        group.addTask {
          await Self.error {
            _ = try await OrdersClient(client).createOrder(Self.request("hang"), options: Self.options)
          }
        }
        try? await loop.sleep(for: .milliseconds(20))
        group.cancelAll()
        for await error in group { #expect(error?.code == .cancelled) }
      }
      try await loop.sleep(for: .milliseconds(30))
    }
    #expect(cancelled.withLock { $0 } == 1)
  }

  @Test func `a disconnect cancels the handlers of the connection`() async throws {
    let cancelled = Locked(0)
    try await Self.withPair(service: EchoOrders(onCancel: { cancelled.withLock { $0 += 1 } })) { loop, server, _ in
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      peer.send { Hello(payloadBytesMax: 1 << 20, streamsMax: 0, pingIntervalMillisecondsMin: 0).append(to: &$0) }
      peer.send {
        FrameHeader(kind: .request, stream: 1, code: OrdersMethods.createOrder.id, value: 60_000)
          .append(payload: Self.request("hang").encoded(), to: &$0)
      }
      try await loop.sleep(for: .milliseconds(30))
      peer.disconnect()
      try await loop.sleep(for: .milliseconds(30))
    }
    #expect(cancelled.withLock { $0 } == 1)
  }

  @Test func `an unknown method is unimplemented`() async throws {
    let error = try await Self.withPair { _, _, client in
      await Self.error { _ = try await client.call(method: 0x10FF, payload: [], options: Self.options) }
    }
    #expect(error?.code == .unimplemented)
  }

  @Test func `a response larger than the caller accepts is refused, and the connection lives`() async throws {
    try await Self.withPair { _, _, client in
      let error = await Self.error {
        _ = try await OrdersClient(client).createOrder(Self.request("large"), options: Self.options)
      }
      #expect(error?.code == .resourceExhausted && error?.reason == "RESPONSE_TOO_LARGE")
      _ = try await OrdersClient(client).createOrder(Self.request, options: Self.options)
    }
  }

  @Test func `a request larger than the server accepts is not sent`() async throws {
    var limits = RPCServer.Limits()
    limits.payloadBytesMax = 1_000
    let error = try await Self.withPair(limits: limits) { _, _, client in
      await Self.error {
        let payload = [UInt8](repeating: 0, count: 2_000)
        _ = try await client.call(method: OrdersMethods.createOrder.id, payload: payload, options: Self.options)
      }
    }
    #expect(error?.code == .resourceExhausted)
  }

  @Test func `more calls than a connection may have are refused`() async throws {
    var limits = RPCServer.Limits()
    limits.streamsMax = 4
    try await Self.withPair(limits: limits) { loop, _, client in
      let codes = await withTaskGroup(of: StatusCode?.self) { group in
        for _ in 0..<8 {
          group.addTask {
            await Self.error {
              _ = try await OrdersClient(client).createOrder(Self.request("slow"), options: Self.options)
            }?.code
          }
        }
        return await group.reduce(into: [StatusCode]()) { if let code = $1 { $0.append(code) } }
      }
      #expect(codes == Array(repeating: .resourceExhausted, count: 4))
    }
  }

  @Test func `a graceful shutdown answers what it accepted and refuses the rest`() async throws {
    try await Self.withPair { loop, server, client in
      _ = try await OrdersClient(client).createOrder(Self.request, options: Self.options)
      try await withThrowingTaskGroup(of: Order.self) { group in
        for _ in 0..<10 {
          group.addTask { try await OrdersClient(client).createOrder(Self.request("slow"), options: Self.options) }
        }
        try await loop.sleep(for: .milliseconds(10))
        server.beginGracefulShutdown()
        for try await order in group { #expect(order.amount == 10) }
      }
      let error = await Self.error {
        _ = try await OrdersClient(client).createOrder(Self.request, options: .init(timeout: .seconds(1)))
      }
      #expect(error?.code == .unavailable)
      await server.run()
    }
  }

  @Test func `a client finds its server again`() async throws {
    try await onLoop { loop in
      let first = try RPCServer(
        loop: loop, name: "first", host: "127.0.0.1", port: 0, services: [EchoOrders().definition])
      let port = first.port
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: port)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        _ = try await OrdersClient(client).createOrder(Self.request, options: Self.options)
        first.beginGracefulShutdown()
        await first.run()
        let second = try RPCServer(
          loop: loop, name: "second", host: "127.0.0.1", port: port, services: [EchoOrders().definition])
        _ = try await OrdersClient(client).createOrder(Self.request, options: Self.options)
        second.beginGracefulShutdown()
        group.cancelAll()
      }
    }
  }

  @Test func `reflection returns the schemas and health the dependencies`() async throws {
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [EchoOrders().definition],
        health: { ServerHealth([DependencyHealth(name: "nats", status: .notServing, reason: "gone")]) })
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await client.run() }
        do {
          let reflection = try await ServerClient(client).reflect(ReflectRequest(), options: Self.options)
          #expect(reflection.services == ["gozon.orders.Orders"])
          #expect(reflection.files.map(\.name) == ["orders.gozon", "rpc.gozon"])
          #expect(reflection.files.first?.source.contains("service Orders = 16") == true)
          let health = try await ServerClient(client).checkHealth(CheckHealthRequest(), options: Self.options)
          #expect(health.status == .notServing && health.dependencies.map(\.reason) == ["gone"])
        } catch {
          Issue.record(error)
        }
        group.cancelAll()
      }
    }
  }
}
