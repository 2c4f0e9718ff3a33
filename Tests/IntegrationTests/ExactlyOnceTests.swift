import API
import EventLoop
import RPC
import TestSupport
import Testing
import Wire

/// Orders and payments together: every order is settled, and charged once at most, whatever happens meanwhile.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ExactlyOnceTests {
  @Test func `a hundred orders at once spend what there is, and nothing else`() async throws {
    try await Shop.open { shop in
      let user = try await shop.user(balance: 500)
      let placed = await shop.place(Array(repeating: CreateOrderRequest(userId: user, amount: 10), count: 100))
      let orders = try await shop.settled(try placed.map { try $0.get().id })
      #expect(orders.count { $0.status == .finished } == 50)
      #expect(orders.count { $0.status == .cancelled && $0.reason == .insufficientFunds } == 50)
      let account = try await PaymentsClient(shop.payments[0].client).getAccount(
        GetAccountRequest(userId: user), options: Shop.options)
      #expect(account.balance == 0)
      try await shop.audit(deposited: 500)
    }
  }

  @Test func `one order posted fifty times at once is one order and one charge`() async throws {
    try await Shop.open(replicas: 2) { shop in
      let user = try await shop.user(balance: 500)
      let request = CreateOrderRequest(userId: user, amount: 10, id: .random())
      let placed = try await shop.place(Array(repeating: request, count: 50)).map { try $0.get().id }
      #expect(Set(placed) == [request.id])
      var keyed = Shop.options
      keyed.metadata["idempotency-key"] = "k-\(UUID.random())"
      let nameless = CreateOrderRequest(userId: user, amount: 10)
      var again: [UUID] = []
      for answer in await shop.place(Array(repeating: nameless, count: 50), options: keyed) {
        switch answer {
        case .success(let order): again.append(order.id)
        // One that comes to the process where the first is still running.
        case .failure(let error): #expect(error.reason == "IDEMPOTENCY_KEY_IN_USE")
        }
      }
      again += try await shop.place([nameless], options: keyed).map { try $0.get().id }
      #expect(again.count > 1 && Set(again).count == 1)
      let orders = try await shop.settled(Array(Set(placed + again)))
      #expect(orders.map(\.status) == [.finished, .finished])
      try await shop.audit(deposited: 500)
    }
  }

  @Test func `a broker that loses its whole store costs time and nothing else`() async throws {
    try await Shop.open { shop in
      var users: [UUID] = []
      for _ in 0..<5 { users.append(try await shop.user(balance: 300)) }
      let requests = (0..<300).map { CreateOrderRequest(userId: users[$0 % 5], amount: 10, id: .random()) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (place, request) in requests.enumerated() {
          group.addTask {
            try await shop.loop.sleep(for: .milliseconds(place * 2))
            try await shop.insist(request)
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
      #expect(orders.count { $0.status == .finished } == 150)
      try await shop.audit(deposited: 1_500)
    }
  }

  @Test func `a replica that is killed leaves its work to the other`() async throws {
    try await Shop.open(replicas: 2) { shop in
      let user = try await shop.user(balance: 2_000)
      let requests = (0..<300).map { _ in CreateOrderRequest(userId: user, amount: 10, id: .random()) }
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (place, request) in requests.enumerated() {
          group.addTask {
            try await shop.loop.sleep(for: .milliseconds(place * 2))
            try await shop.insist(request)
          }
        }
        try await shop.loop.sleep(for: .milliseconds(300))
        shop.orders[0].process.kill()
        shop.payments[0].process.kill()
        try await group.waitForAll()
      }
      // What the dead consumer had taken is read by whoever has its lanes next; what it did not publish any more is asked
      // again.
      let orders = try await shop.settled(requests.compactMap(\.id))
      #expect(orders.count { $0.status == .finished } == 200)
      try await shop.audit(deposited: 2_000)
    }
  }

  @Test func `a service that is told to end answers what it accepted, and ends well`() async throws {
    try await Shop.open(replicas: 2) { shop in
      let user = try await shop.user(balance: 10_000)
      let requests = (0..<500).map { _ in CreateOrderRequest(userId: user, amount: 10) }
      async let placing = shop.place(requests, options: CallOptions(timeout: .seconds(20)))
      try await shop.loop.sleep(for: .milliseconds(30))
      shop.orders[0].process.terminate()
      shop.payments[0].process.terminate()
      let placed = await placing
      let accepted = placed.compactMap { try? $0.get().id }
      for case .failure(let error) in placed { #expect(error.code == .unavailable, "\(error)") }
      #expect(accepted.count >= 250, "the other replica took its half")
      try await shop.until("both have ended", within: .seconds(25)) {
        shop.orders[0].process.hasExited && shop.payments[0].process.hasExited
      }
      #expect(shop.orders[0].process.exitStatus == 0 && shop.payments[0].process.exitStatus == 0)
      _ = try await shop.settled(accepted)
      try await shop.audit(deposited: 10_000)
    }
  }
}
