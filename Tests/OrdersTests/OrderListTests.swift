import API
import EventLoop
import Postgres
import TestSupport
import Testing
import Wire

@testable import Orders

/// Pages of orders, read while orders come in.
@Suite struct OrderListTests {
  private static func pages(
    _ store: OrderStore, of user: UUID?, status: OrderStatus? = nil, size: Int32, between: () async throws -> Void = {}
  ) async throws -> [Order] {
    var (orders, token) = ([Order](), "")
    repeat {
      let page = try OrderPage(ListOrdersRequest(pageSize: size, pageToken: token))
      let found = try await store.orders(of: user, status: status, page: page)
      orders += found.prefix(page.size)
      token = found.count > page.size ? OrderPage.token(after: orders.last!) : ""
      try await between()
    } while !token.isEmpty
    return orders
  }

  @Test func `pages neither skip nor repeat an order, whatever is added in between`() async throws {
    try await TestDatabase.withPool(try TestDatabase.make("order_list"), service: "orders") { pool in
      let store = OrderStore(pool)
      var random = SeededRandom()
      for round in 0..<12 {
        let user = UUID.random()
        let seed: Comment = "seed \(random.seed), round \(round)"
        // Few moments, so that many orders share one and the ids decide.
        let base = Int64(1_700_000_000_000_000)
        func batch(_ count: Int) -> [NewOrder] {
          (0..<count).map { _ in
            let time = Timestamp(microseconds: base + Int64.random(in: 0...5, using: &random))
            return OrderStoreTests.order(UUID(high: random.next(), low: random.next()), user: user, at: time)
          }
        }
        let before = batch(Int.random(in: 0...40, using: &random))
        if !before.isEmpty { _ = try await store.create(before, slot: OutboxSlot(0)) }
        let size = Int32.random(in: 1...9, using: &random)
        var added: [NewOrder] = []
        let listed = try await Self.pages(store, of: user, size: size) {
          let more = batch(Int.random(in: 1...3, using: &random))
          added += more
          _ = try await store.create(more, slot: OutboxSlot(0))
        }
        let ids = listed.map(\.id)
        #expect(Set(ids).count == ids.count, seed)
        #expect(Set(before.map(\.id)).isSubset(of: ids), seed)
        #expect(Set(ids).isSubset(of: (before + added).map(\.id)), seed)
        let sorted = listed.sorted { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) }
        #expect(listed == sorted, seed)
      }
    }
  }

  @Test func `a list is of a user, of a status, or of everybody`() async throws {
    try await TestDatabase.withPool(try TestDatabase.make("order_list"), service: "orders") { pool in
      let store = OrderStore(pool)
      let users = [UUID.random(), .random()]
      let orders = (0..<20).map { OrderStoreTests.order(user: users[$0 % 2]) }
      _ = try await store.create(orders, slot: OutboxSlot(0))
      let finished = orders.prefix(5)
      try await store.settle(finished.map { OrderSettled(orderId: $0.id, outcome: .charged, settledAt: .now) })
      for size in [1, 3, 20, 1_000] as [Int32] {
        #expect(try await Self.pages(store, of: nil, size: size).count == 20)
        #expect(try await Self.pages(store, of: users[0], size: size).count == 10)
        #expect(try await Self.pages(store, of: nil, status: .finished, size: size).count == 5)
        #expect(try await Self.pages(store, of: users[0], status: .finished, size: size).count == 3)
        #expect(try await Self.pages(store, of: users[1], status: .refunded, size: size).isEmpty)
      }
    }
  }
}
