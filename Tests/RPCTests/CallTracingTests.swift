import API
import EventLoop
import TestSupport
import Testing
import Tracing
import Wire

@testable import RPC

@Suite(.serialized) struct CallTracingTests {
  private static let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"

  /// What the handler saw and what was recorded, of one call that came with this metadata.
  private static func call(
    _ metadata: Metadata, id: UInt64 = 1
  ) async throws -> (seen: String?, spans: [TraceSpan]) {
    try await onLoop { loop in
      let tracer = Tracer(loop: loop, ratio: 1)
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [EchoOrders().definition],
        interceptors: [CallTracing(tracer), SeenTraces()])
      let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port)
      return try await withThrowingTaskGroup(of: Void.self) { group in
        defer { group.cancelAll() }
        group.addTask { await server.run() }
        group.addTask { await client.run() }
        try await client.untilConnected()
        SeenTraces.last.withLock { $0 = nil }
        _ = try? await OrdersClient(client).getOrder(
          GetOrderRequest(id: .init(high: 0, low: id)), options: CallOptions(metadata: metadata))
        return (SeenTraces.last.withLock { $0 }, tracer.take())
      }
    }
  }

  /// Notes what a handler would pass on.
  private struct SeenTraces: ServerInterceptor {
    static let last = Locked<String?>(nil)
    func callBegan(_ context: CallContext) throws(RPCError) {
      let seen = context.metadata.traceparent
      Self.last.withLock { $0 = seen }
    }
    func callEnded(_ context: CallContext, _ status: StatusCode) {}
  }

  @Test func `a call of a sampled trace is a span, and whatever it asks for goes on from that`() async throws {
    let (seen, spans) = try await Self.call(["traceparent": Self.text + "1", "request-id": "r"])
    let span = try #require(spans.first)
    #expect(spans.count == 1 && span.parentID == 0x00f0_67aa_0ba9_02b7 && span.kind == .server)
    #expect(span.name == "gozon.orders.Orders/GetOrder" && seen == span.context.text)
    #expect(span.attributes.contains { $0.key == .requestID && $0.value == .text("r") })
    #expect(span.attributes.contains { $0.key == .rpcMethod && $0.value == .text("GetOrder") })
  }

  @Test func `a call of another trace, or of none, is as it was`() async throws {
    let unsampled = try await Self.call(["traceparent": Self.text + "0"])
    #expect(unsampled.spans.isEmpty && unsampled.seen == Self.text + "0")
    let alone = try await Self.call([:])
    #expect(alone.spans.isEmpty && alone.seen == nil)
  }

  @Test func `only a server's own failure is an error`() {
    let faults = (0...16).compactMap { StatusCode(rawValue: $0) }.filter(\.isServersFault)
    #expect(faults == [.unknown, .deadlineExceeded, .unimplemented, .internal, .unavailable, .dataLoss])
  }
}
