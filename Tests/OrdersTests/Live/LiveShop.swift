import API
import EventLoop
import Idempotency
import Messaging
import Postgres
import RPC
import Service
import TestSupport
import Testing
import Wire

@testable import Orders

/// Replicas of orders on one database, each with a server, a feed and a client, and nobody who pays: tests answer.
// Confined to the loop of its test.
final class LiveShop: @unchecked Sendable {
  /// One process's parts.
  struct Replica {
    let pool: PostgresPool
    let store: OrderStore
    let feed: ChangeFeed
    let client: OrdersClient
  }

  let loop: EventLoop
  let replicas: [Replica]
  /// When charges were decided: the same in every repeat.
  private var settledAt: [UUID: Timestamp] = [:]

  private init(loop: EventLoop, replicas: [Replica]) {
    self.loop = loop
    self.replicas = replicas
  }

  /// Runs `body` with two replicas; their clients take so many bytes of messages ahead.
  static func open(
    _ url: String, callWindow: Int = 256 << 10, _ body: @escaping @Sendable (LiveShop) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      try await TestDatabase.withPool(url, service: "orders", on: loop) { first in
        try await TestDatabase.withPool(url, service: "orders", on: loop) { second in
          try await run([first, second], callWindow, body)
        }
      }
    }
  }

  private static func run(
    _ pools: [PostgresPool], _ callWindow: Int, _ body: (LiveShop) async throws -> Void
  ) async throws {
    let loop = pools[0].loop
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      var replicas: [Replica] = []
      for pool in pools {
        let store = OrderStore(pool)
        let feed = ChangeFeed(loop: loop, store: store, log: Log(service: "test", level: .error))
        let relay = OrderCreationTests.idleRelay(pool)
        let service = OrdersServiceImplementation(
          store: store, creation: OrderCreation(loop: loop, store: store, relay: relay, feed: feed),
          cancellation: OrderCancellation(
            loop: loop, store: store, relay: relay, watch: OrderWatch(loop: loop), feed: feed),
          runningKeys: RunningKeys(loop: loop), watching: OrderWatching(loop: loop, store: store, feed: feed),
          currency: "RUB")
        let server = try RPCServer(
          loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [service.definition])
        var options = RPCClient.Options()
        options.callWindow = callWindow
        let client = RPCClient(loop: loop, host: "127.0.0.1", port: server.port, options: options)
        group.addTask { await server.run() }
        group.addTask { await client.run() }
        group.addTask { await feed.run() }
        try await client.untilConnected()
        replicas.append(Replica(pool: pool, store: store, feed: feed, client: OrdersClient(client)))
      }
      try await body(LiveShop(loop: loop, replicas: replicas))
    }
  }

  // MARK: What happens to orders

  func create(_ user: UUID, count: Int = 1, by replica: Int = 0) async throws -> [UUID] {
    let orders = (0..<count).map { _ in OrderStoreTests.order(user: user) }
    _ = try await replicas[replica].store.create(orders, slot: OutboxSlot(at: .now))
    replicas[replica].feed.changed()
    return orders.map(\.id)
  }

  func settle(
    _ ids: [UUID], _ outcome: ChargeOutcome = .charged, refundedAt: Timestamp? = nil, by replica: Int = 0
  ) async throws {
    for id in ids where settledAt[id] == nil { settledAt[id] = .now }
    try await replicas[replica].store.settle(
      ids.map { OrderSettled(orderId: $0, outcome: outcome, settledAt: settledAt[$0]!, refundedAt: refundedAt) })
    replicas[replica].feed.changed()
  }

  func requestCancel(_ id: UUID, by replica: Int = 0) async throws {
    _ = try await replicas[replica].store.requestCancel([CancelRequest(orderID: id)], at: .now)
    replicas[replica].feed.changed()
  }

  // MARK: Watching

  func watch(
    _ request: WatchOrdersRequest, at replica: Int = 0, metadata: Metadata = [:]
  ) -> StreamingCall<WatchOrdersRequest, Order> {
    replicas[replica].client.watchOrders(request, options: CallOptions(timeout: .seconds(600), metadata: metadata))
  }

  /// The next orders of a stream.
  func take(_ count: Int, of call: StreamingCall<WatchOrdersRequest, Order>) async throws -> [Order] {
    var orders: [Order] = []
    while orders.count < count {
      guard case .message(let order) = try await call.next(atMost: .seconds(60)) else {
        throw TestProcess.Failure("\(orders.count) of \(count) orders came")
      }
      orders.append(order)
    }
    return orders
  }

  /// Asserts that nothing comes for a while.
  func expectSilence(of call: StreamingCall<WatchOrdersRequest, Order>) async throws {
    guard case .nothing = try await call.next(atMost: .milliseconds(300)) else {
      Issue.record("something came")
      return
    }
  }
}

/// `STATUS`, and `!` while its cancellation is asked for.
func shape(_ order: Order) -> String { "\(order.status)".lowercased() + (order.cancelRequestedAt == nil ? "" : "!") }
