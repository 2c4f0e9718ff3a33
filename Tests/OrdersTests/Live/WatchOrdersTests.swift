import API
import EventLoop
import Postgres
import RPC
import TestSupport
import Testing
import Wire

@testable import Orders

/// What `Orders.WatchOrders` tells, whichever of two processes changes an order and whichever is asked.
@Suite(.timeLimit(.minutes(5))) struct WatchOrdersTests {
  private static let database = Result { try TestDatabase.make("watch_orders") }

  private static func withShop(
    callWindow: Int = 256 << 10, _ body: @escaping @Sendable (LiveShop) async throws -> Void
  ) async throws {
    try await LiveShop.open(try database.get(), callWindow: callWindow, body)
  }

  @Test(arguments: [0, 1])
  func `an order is told as it stands, then every change of it in order`(replica: Int) async throws {
    try await Self.withShop { shop in
      let id = try await shop.create(.random())[0]
      let calls = [0, 1].map { shop.watch(WatchOrdersRequest(id: id), at: $0) }
      for call in calls { #expect(try await shop.take(1, of: call).map(shape) == ["new"]) }
      try await shop.settle([id], by: replica)
      try await shop.requestCancel(id, by: replica)
      try await shop.settle([id], refundedAt: .now, by: replica)
      for call in calls {
        let orders = try await shop.take(3, of: call)
        #expect(orders.map(shape) == ["finished", "finished!", "refunded!"])
        var last = orders[2]
        last.cursor = nil
        #expect(try await shop.replicas[0].store.order(id) == last)
        #expect(orders.allSatisfy { $0.cursor != nil })
      }
    }
  }

  @Test(arguments: [0, 1])
  func `a user's orders are told, of nobody else, and new ones too`(replica: Int) async throws {
    try await Self.withShop { shop in
      let user = UUID.random()
      let old = try await shop.create(user, count: 3)
      let calls = [0, 1].map { shop.watch(WatchOrdersRequest(userId: user), at: $0) }
      for call in calls { #expect(Set(try await shop.take(3, of: call).map(\.id)) == Set(old)) }
      let new = try await shop.create(user, by: replica)[0]
      _ = try await shop.create(.random(), by: replica)
      try await shop.settle([new], .noAccount, by: replica)
      for call in calls {
        let orders = try await shop.take(2, of: call)
        #expect(orders.map(\.id) == [new, new] && orders.map(shape) == ["new", "cancelled"])
        try await shop.expectSilence(of: call)
      }
    }
  }

  @Test func `the newest come first when nothing else is known, the oldest of them at the head`() async throws {
    try await Self.withShop { shop in
      let user = UUID.random()
      var ids: [UUID] = []
      for _ in 0..<5 { ids += try await shop.create(user) }
      let two = shop.watch(WatchOrdersRequest(userId: user, recent: 2))
      #expect(try await shop.take(2, of: two).map(\.id) == Array(ids.suffix(2)))
      let none = shop.watch(WatchOrdersRequest(userId: user, recent: 0))
      try await shop.expectSilence(of: none)
      // What did not come first comes when it changes.
      try await shop.settle([ids[0]])
      for call in [two, none] { #expect(try await shop.take(1, of: call).map(\.id) == [ids[0]]) }
    }
  }

  @Test func `whoever comes back with a cursor gets what changed since, from any process, and nothing else`()
    async throws
  {
    try await Self.withShop { shop in
      let user = UUID.random()
      let ids = try await shop.create(user, count: 4)
      let first = shop.watch(WatchOrdersRequest(userId: user))
      let seen = try await shop.take(4, of: first)
      #expect(seen.dropLast().allSatisfy { $0.cursor == nil })
      let cursor = try #require(seen[3].cursor)
      let quiet = shop.watch(WatchOrdersRequest(userId: user, cursor: cursor), at: 1)
      try await shop.expectSilence(of: quiet)
      try await shop.settle([ids[1], ids[2]])
      try await shop.requestCancel(ids[2])
      let new = try await shop.create(user)[0]
      let again = shop.watch(WatchOrdersRequest(userId: user, recent: 0, cursor: cursor), at: 1)
      let changed = try await shop.take(3, of: again)
      #expect(
        Dictionary(uniqueKeysWithValues: changed.map { ($0.id, shape($0)) }) == [
          ids[1]: "finished", ids[2]: "finished!", new: "new",
        ])
      try await shop.expectSilence(of: again)
      let last = shop.watch(WatchOrdersRequest(userId: user, cursor: changed.last?.cursor))
      try await shop.expectSilence(of: last)
      let one = shop.watch(WatchOrdersRequest(id: ids[1], cursor: cursor))
      #expect(try await shop.take(1, of: one).map(shape) == ["finished"])
      let other = shop.watch(WatchOrdersRequest(id: ids[0], cursor: cursor))
      try await shop.expectSilence(of: other)
    }
  }

  @Test func `more than a page that changed comes whole, and what changes meanwhile too`() async throws {
    try await Self.withShop { shop in
      let user = UUID.random()
      let call = shop.watch(WatchOrdersRequest(userId: user))
      let first = try await shop.create(user)[0]
      let cursor = try #require(try await shop.take(1, of: call)[0].cursor)
      var ids: Set<UUID> = []
      for _ in 0..<3 { ids.formUnion(try await shop.create(user, count: 256)) }
      let again = shop.watch(WatchOrdersRequest(userId: user, cursor: cursor), at: 1)
      #expect(Set(try await shop.take(768, of: again).map(\.id)) == ids)
      try await shop.settle([first])
      #expect(try await shop.take(1, of: again).map(\.id) == [first])
    }
  }

  @Test func `a cursor of a database that is no more begins with everything`() async throws {
    try await Self.withShop { shop in
      let user = UUID.random()
      let ids = try await shop.create(user, count: 3)
      let present = try await shop.replicas[0].store.news(since: nil) { _, _ in [] }.present
      let other = WatchPosition(timeline: present.timeline + 1, snapshot: present.snapshot)
      let future = TransactionSnapshot(
        first: present.snapshot.next + 1_000_000, next: present.snapshot.next + 1_000_000, underWay: [])!
      for cursor in [other.cursor, WatchPosition(timeline: present.timeline, snapshot: future).cursor] {
        let call = shop.watch(WatchOrdersRequest(userId: user, recent: 0, cursor: cursor))
        #expect(Set(try await shop.take(3, of: call).map(\.id)) == Set(ids))
        let one = shop.watch(WatchOrdersRequest(id: ids[0], cursor: cursor))
        #expect(try await shop.take(1, of: one).map(\.id) == [ids[0]])
      }
    }
  }

  private static func error(_ call: StreamingCall<WatchOrdersRequest, Order>) async -> RPCError? {
    do {
      for try await _ in call {}
      return nil
    } catch {
      return error as? RPCError
    }
  }

  @Test func `strangers and wrong requests are refused`() async throws {
    try await Self.withShop { shop in
      let (user, other) = (UUID.random(), UUID.random())
      let id = try await shop.create(user)[0]
      #expect(await Self.error(shop.watch(WatchOrdersRequest(id: .random())))?.reason == "NO_ORDER")
      for request in [
        WatchOrdersRequest(), WatchOrdersRequest(id: id, userId: user), WatchOrdersRequest(id: id, cursor: "zzz"),
      ] {
        #expect(await Self.error(shop.watch(request))?.code == .invalidArgument)
      }
      let stranger: Metadata = ["principal": other.description]
      #expect(
        await Self.error(shop.watch(WatchOrdersRequest(userId: user), metadata: stranger))?.code == .permissionDenied)
      #expect(await Self.error(shop.watch(WatchOrdersRequest(id: id), metadata: stranger))?.reason == "NO_ORDER")
      for request in [WatchOrdersRequest(userId: user), WatchOrdersRequest(id: id)] {
        let call = shop.watch(request, metadata: ["principal": user.description])
        #expect(try await shop.take(1, of: call).map(\.id) == [id])
      }
    }
  }

  @Test func `a slow watcher holds little, and gets the latest state of each order in the end`() async throws {
    try await Self.withShop(callWindow: 1_024) { shop in
      let user = UUID.random()
      let (slow, fast) = (shop.watch(WatchOrdersRequest(userId: user)), shop.watch(WatchOrdersRequest(userId: user)))
      var ids = try await shop.create(user)
      for call in [slow, fast] { _ = try await shop.take(1, of: call) }
      for _ in 0..<8 {
        let new = try await shop.create(user, count: 100)
        try await shop.settle(new, by: 1)
        ids += new
      }
      try await shop.settle([ids[0]])
      // What this one has been told, the other has been offered.
      _ = try await Self.takeUntilFinished(ids, shop, fast)
      let count = try await Self.takeUntilFinished(ids, shop, slow)
      #expect(count < 1_600)
      #expect(shop.replicas[0].feed.lapses > 0)
      for call in [slow, fast] { try await shop.expectSilence(of: call) }
    }
  }

  /// Takes orders until each is finished; how many that were.
  private static func takeUntilFinished(
    _ ids: [UUID], _ shop: LiveShop, _ call: StreamingCall<WatchOrdersRequest, Order>
  ) async throws -> Int {
    var open = Set(ids)
    var count = 0
    while !open.isEmpty {
      let order = try await shop.take(1, of: call)[0]
      if order.status == .finished { open.remove(order.id) }
      count += 1
    }
    return count
  }

  @Test func `who follows is sent away when the process ends, and nobody is left behind`() async throws {
    try await Self.withShop { shop in
      let user = UUID.random()
      let id = try await shop.create(user)[0]
      let call = shop.watch(WatchOrdersRequest(userId: user))
      _ = try await shop.take(1, of: call)
      let feed = shop.replicas[0].feed
      #expect(feed.count == 1)
      feed.endFollowing()
      #expect(await Self.error(call)?.reason == "DRAINING")
      #expect(await Self.error(shop.watch(WatchOrdersRequest(id: id)))?.code == .unavailable)
      for _ in 0..<500 where feed.count > 0 { try await shop.loop.sleep(for: .milliseconds(10)) }
      #expect(feed.count == 0)
    }
  }

  @Test func `whatever happens in whatever order, each watcher ends with the truth and never goes back`() async throws {
    try await Self.withShop { shop in
      let users = (0..<3).map { _ in UUID.random() }
      let ends = Ends()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for seed in 0..<6 { group.addTask { try await Self.watchOnAndOff(shop, users[seed % 3], seed, ends) } }
        var changes: [Task<Void, any Error>] = []
        for seed in 0..<4 {
          changes.append(
            Task(executorPreference: shop.loop.taskExecutor) { try await Self.change(shop, users, seed) })
        }
        for change in changes { try await change.value }
        ends.overSince = shop.loop.now
        for user in users {
          for order in try await shop.replicas[0].store.orders(
            of: user, status: nil, page: try OrderPage(ListOrdersRequest(pageSize: 1000)))
          {
            ends.truth[order.id] = order
          }
        }
        try await group.waitForAll()
      }
    }
  }

  // Confined to the loop of its test.
  private final class Ends: @unchecked Sendable {
    var overSince: LoopInstant?
    var truth: [UUID: Order] = [:]
  }

  /// How far an order has come: each change adds one.
  private static func version(_ order: Order) -> Int {
    let steps: [OrderStatus: Int] = [.new: 1, .finished: 2, .cancelled: 2, .refunded: 3]
    return steps[order.status]! + (order.cancelRequestedAt == nil ? 0 : 1)
  }

  private static func watchOnAndOff(_ shop: LiveShop, _ user: UUID, _ seed: Int, _ ends: Ends) async throws {
    let isFaithful = seed < 3
    var known: [UUID: Order] = [:]
    var cursor: String?
    var connection = 0
    while true {
      let call = shop.watch(WatchOrdersRequest(userId: user, recent: 1000, cursor: cursor), at: (seed + connection) % 2)
      connection += 1
      // More and more: what has changed since the cursor is told again until all of it has come.
      for _ in 0..<(isFaithful ? Int.max : Int.random(in: 1...(20 + connection))) {
        if !ends.truth.isEmpty, known == ends.truth.filter({ $0.value.userId == user }) { return }
        if let over = ends.overSince, shop.loop.now - over > .seconds(120) {
          let truth = ends.truth.filter { $0.value.userId == user }
          let wrong = truth.values.filter { known[$0.id] != $0 }
          Issue.record(
            """
            \(seed): of \(truth.count) orders \(wrong.count) are not known as they are, such as \(wrong.prefix(1)), \
            known as \(wrong.prefix(1).map { known[$0.id] })
            """)
          return
        }
        guard case .message(var order) = try await call.next(atMost: .milliseconds(100)) else { continue }
        cursor = order.cursor ?? cursor
        order.cursor = nil
        if let before = known[order.id] {
          // Where a stream is taken up, and only there, a state may come again.
          #expect(version(order) >= version(before))
          let hasLapsed = shop.replicas.contains { $0.feed.lapses > 0 }
          if isFaithful, !hasLapsed { #expect(version(order) == version(before) + 1) }
        }
        known[order.id] = order
      }
    }
  }

  private static func change(_ shop: LiveShop, _ users: [UUID], _ seed: Int) async throws {
    var open: [UUID] = []
    for round in 0..<60 {
      let replica = (round + seed) % 2
      switch Int.random(in: 0..<4) {
      case 0, 1: open += try await shop.create(users[round % 3], count: Int.random(in: 1...3), by: replica)
      case 2:
        guard let id = open.randomElement() else { continue }
        try await shop.settle([id], Bool.random() ? .charged : .insufficientFunds, by: replica)
      default:
        guard let id = open.randomElement() else { continue }
        try await shop.requestCancel(id, by: replica)
        if Bool.random(), let order = try await shop.replicas[0].store.order(id), order.cancelRequestedAt != nil {
          try await shop.settle(
            [id], order.status == .new ? .cancelled : .charged, refundedAt: order.status == .new ? nil : .now,
            by: replica)
        }
      }
    }
  }
}
