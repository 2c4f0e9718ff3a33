import API
import EventLoop
import RPC
import TestSupport
import Testing
import Wire

/// Orders and payments together while orders are cancelled: nothing is charged that was cancelled first, and what was
/// charged goes back once.
@Suite(.serialized, .timeLimit(.minutes(3))) struct CancellationTests {
  @Test func `two hundred races between charge and cancellation end one way each`() async throws {
    try await Shop.open(replicas: 2) { shop in
      var random = SeededRandom()
      let seed = random.seed
      let user = try await shop.user(balance: 1_500)
      let delays = (0..<200).map { _ in Int.random(in: -2...20, using: &random) }
      let cancelled = try await withThrowingTaskGroup(of: Order.self) { group in
        for delay in delays {
          group.addTask {
            let id = UUID.random()
            async let placed: Void = shop.insist(CreateOrderRequest(userId: user, amount: 10, id: id))
            if delay < 0 {
              // Twice at once, as soon as it is known to be there.
              try await placed
              async let first = shop.cancel(id)
              let (one, other) = try await (first, shop.cancel(id))
              #expect(one == other, "seed \(seed)")
              return one
            }
            try await shop.loop.sleep(for: .milliseconds(delay))
            return try await shop.cancel(id)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(cancelled.allSatisfy { $0.cancelRequestedAt != nil || $0.reason == .insufficientFunds }, "seed \(seed)")
      for order in cancelled {
        let events = try await OrdersClient(shop.orders[0].client).listOrderEvents(
          ListOrderEventsRequest(id: order.id), options: Shop.options
        ).events
        #expect(events.first?.kind == .created, "seed \(seed)")
        #expect(events.count { $0.kind == (order.status == .refunded ? .refunded : .cancelled) } == 1, "seed \(seed)")
        #expect(events.contains { $0.kind == .finished } == (order.status == .refunded), "seed \(seed)")
      }
      try await shop.audit(deposited: 1_500)
      let account = try await PaymentsClient(shop.payments[0].client).getAccount(
        GetAccountRequest(userId: user), options: Shop.options)
      #expect(account.balance == 1_500, "seed \(seed)")
    }
  }

  @Test func `payments that is away answers when it is back, and the cancellation goes on by itself`() async throws {
    try await Shop.open { shop in
      let user = try await shop.user(balance: 100)
      let orders = OrdersClient(shop.orders[0].client)
      func place() async throws -> UUID {
        try await orders.createOrder(CreateOrderRequest(userId: user, amount: 10), options: Shop.options).id
      }
      let paid = try await place()
      _ = try await shop.settled([paid])
      shop.payments[0].process.kill()
      let unpaid = try await place()
      for (id, status) in [(paid, OrderStatus.finished), (unpaid, .new)] {
        // In time for the caller, not for payments.
        let pending = try await orders.cancelOrder(
          CancelOrderRequest(id: id), options: CallOptions(timeout: .milliseconds(800)))
        #expect(pending.status == status && pending.cancelRequestedAt != nil)
      }
      try await shop.startPayments()
      try await shop.until("both are cancelled") {
        let refunded = try await orders.getOrder(GetOrderRequest(id: paid), options: Shop.options)
        let other = try await orders.getOrder(GetOrderRequest(id: unpaid), options: Shop.options)
        // Which event payments takes first is open, and either way is right.
        return refunded.status == .refunded
          && (other.status == .refunded || other.status == .cancelled && other.reason == .cancelledByUser)
      }
      try await shop.audit(deposited: 100)
    }
  }

  @Test func `a broker that loses its whole store loses no cancellation`() async throws {
    try await Shop.open { shop in
      var users: [UUID] = []
      // Enough for all orders at once, however late their cancellations are.
      for _ in 0..<5 { users.append(try await shop.user(balance: 400)) }
      let requests = (0..<200).map { CreateOrderRequest(userId: users[$0 % 5], amount: 10, id: .random()) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (place, request) in requests.enumerated() {
          group.addTask {
            try await shop.loop.sleep(for: .milliseconds(place * 2))
            try await shop.insist(request)
            if place % 2 == 0 { try await shop.cancel(request.id!) }
          }
        }
        try await shop.loop.sleep(for: .milliseconds(200))
        shop.broker.kill()
        shop.broker.wipe()
        try await shop.loop.sleep(for: .milliseconds(200))
        try shop.broker.start()
        try await group.waitForAll()
      }
      let orders = try await shop.settled(requests.compactMap(\.id))
      for (place, order) in orders.enumerated() {
        #expect(place % 2 == 0 ? order.status != .finished : order.status == .finished)
      }
      try await shop.audit(deposited: 2_000)
    }
  }

  @Test func `replicas that are killed leave their cancellations to the others`() async throws {
    try await Shop.open(replicas: 2) { shop in
      let user = try await shop.user(balance: 3_000)
      let requests = (0..<200).map { _ in CreateOrderRequest(userId: user, amount: 10, id: .random()) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (place, request) in requests.enumerated() {
          group.addTask {
            try await shop.loop.sleep(for: .milliseconds(place * 2))
            try await shop.insist(request)
            try await shop.cancel(request.id!)
          }
        }
        try await shop.loop.sleep(for: .milliseconds(200))
        shop.orders[0].process.kill()
        shop.payments[0].process.kill()
        try await group.waitForAll()
      }
      let orders = try await shop.settled(requests.compactMap(\.id))
      #expect(orders.allSatisfy { $0.status == .refunded || $0.reason == .cancelledByUser })
      try await shop.audit(deposited: 3_000)
    }
  }
}
