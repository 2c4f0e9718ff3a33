import API
import EventLoop
import Foundation
import Idempotency
import JetStream
import Messaging
import Postgres
import RPC
@testable import Service
import TestSupport
import Testing
import Wire

@testable import Orders

@Suite struct OrderCreationTests {
  private static let database = Result { try TestDatabase.make("order_creation") }

  /// Runs `body` with a creation whose events wait in memory: there is no broker.
  private static func withCreation(
    _ body: @escaping @Sendable (OrderCreation, OrderStore, EventLoop) async throws -> Void
  ) async throws {
    try await TestDatabase.withPool(try database.get(), service: "orders") { pool in
      try await body(creation(pool), OrderStore(pool), pool.loop)
    }
  }

  private static func creation(_ pool: PostgresPool) -> OrderCreation {
    OrderCreation(loop: pool.loop, store: OrderStore(pool), relay: idleRelay(pool), feed: feed(pool))
  }

  /// A feed that does not run.
  static func feed(_ pool: PostgresPool) -> ChangeFeed {
    ChangeFeed(loop: pool.loop, store: OrderStore(pool), log: Log(service: "test", level: .error))
  }

  /// A relay whose events wait in memory.
  static func idleRelay(_ pool: PostgresPool) -> Relay {
    let broker = JetStreamClient(loop: pool.loop, options: .init(url: "nats://127.0.0.1:1", name: "none"))
    return Relay(loop: pool.loop, jetStream: broker, log: Log(service: "test", level: .error)) { _ in [] }
  }

  /// Takes the orders at the same time, so that they share a batch, and says what became of each.
  private static func create(_ orders: [NewOrder], _ creation: OrderCreation) async -> [String] {
    await withTaskGroup(of: (Int, String).self) { group in
      for (index, order) in orders.enumerated() {
        group.addTask { (index, await word { try await creation.create(order) }) }
      }
      var words = Array(repeating: "", count: orders.count)
      for await (index, word) in group { words[index] = word }
      return words
    }
  }

  private static func word(_ body: () async throws -> CreationOutcome) async -> String {
    do {
      switch try await body() {
      case .created: return "created"
      case .repeated: return "repeated"
      case .replayed: return "replayed"
      case .idTaken: return "idTaken"
      case .keyReused: return "keyReused"
      }
    } catch let error as RPCError {
      return "\(error.code)"
    } catch let error as PostgresError {
      return "\(error.code)"
    } catch {
      return "\(error)"
    }
  }

  private static func service(_ pool: PostgresPool) -> OrdersServiceImplementation {
    let store = OrderStore(pool)
    return OrdersServiceImplementation(
      store: store, creation: creation(pool),
      cancellation: OrderCancellation(
        loop: pool.loop, store: store, relay: idleRelay(pool), watch: OrderWatch(loop: pool.loop), feed: feed(pool)),
      runningKeys: RunningKeys(loop: pool.loop),
      watching: OrderWatching(loop: pool.loop, store: store, feed: feed(pool)),
      currency: "RUB")
  }

  private typealias Make = OrderStoreTests

  @Test func `one id fifty times at once is one order`() async throws {
    try await Self.withCreation { creation, store, _ in
      let order = Make.order(.random())
      let words = await Self.create(Array(repeating: order, count: 50), creation)
      #expect(words.count { $0 == "created" } == 1 && words.count { $0 == "repeated" } == 49)
      var other = order
      other.amount += 1
      #expect(await Self.create([other, order, other], creation) == ["idTaken", "repeated", "idTaken"])
      let kept = try await store.order(order.id)
      #expect(kept == order.order)
    }
  }

  @Test func `one key fifty times at once is one order`() async throws {
    try await Self.withCreation { creation, store, _ in
      let (user, key) = (UUID.random(), "k-\(UUID.random())")
      let orders = (0..<50).map { Make.order(user: user, key: (key, [$0 == 30 ? 2 : 1])) }
      let words = await Self.create(orders, creation)
      #expect(
        words.count { $0 == "created" } == 1 && words.count { $0 == "replayed" } == 48 && words[30] == "keyReused")
      let listed = try await store.orders(of: user, status: nil, page: OrderPage(ListOrdersRequest()))
      #expect(listed.count == 1)
    }
  }

  @Test func `a key that comes to two replicas at once takes one order, and gets one answer`() async throws {
    let url = try Self.database.get()
    try await onLoop { loop in
      try await TestDatabase.withPool(url, service: "orders", on: loop) { first in
        try await TestDatabase.withPool(url, service: "orders", on: loop) { second in
          let services = [Self.service(first), Self.service(second)]
          for _ in 0..<30 {
            let (user, key) = (UUID.random(), "k-\(UUID.random())")
            let orders = try await withThrowingTaskGroup(of: Order.self) { group in
              for service in services {
                group.addTask {
                  let context = CallContext(loop: loop, metadata: ["idempotency-key": key])
                  return try await service.createOrder(CreateOrderRequest(userId: user, amount: 10), context: context)
                }
              }
              return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(orders.count == 2 && orders[0] == orders[1])
            let listed = try await OrderStore(first).orders(of: user, status: nil, page: OrderPage(ListOrdersRequest()))
            #expect(listed == [orders[0]])
          }
        }
      }
    }
  }

  @Test func `in one process the second of two at once is told to come again`() async throws {
    try await TestDatabase.withPool(try Self.database.get(), service: "orders") { pool in
      let (service, request) = (Self.service(pool), CreateOrderRequest(userId: .random(), amount: 10))
      let key = "k-\(UUID.random())"
      let codes = await withTaskGroup(of: String.self) { group in
        for metadata in [["idempotency-key": key], ["idempotency-key": key, "principal": "ann"]] as [Metadata] {
          for _ in 0..<2 {
            group.addTask {
              let context = CallContext(loop: pool.loop, metadata: metadata)
              do {
                _ = try await service.createOrder(request, context: context)
                return "OK"
              } catch {
                return (error as? RPCError)?.reason ?? "\(error)"
              }
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes.sorted() == ["IDEMPOTENCY_KEY_IN_USE", "IDEMPOTENCY_KEY_IN_USE", "OK", "OK"])
    }
  }

  @Test func `a bad order fails alone`() async throws {
    try await Self.withCreation { creation, store, _ in
      var orders = (0..<20).map { _ in Make.order(.random()) }
      orders[7].currency = "rub"
      orders[13].amount = 0
      let words = await Self.create(orders, creation)
      for (index, word) in words.enumerated() {
        #expect([7, 13].contains(index) ? word.contains("23514") : word == "created", "\(index): \(word)")
      }
      let kept = try await store.orders(orders.map(\.id))
      #expect(kept.count == 18)
    }
  }

  @Test func `an order whose fate cannot be told fails alone, and nobody gets another's answer`() async throws {
    try await Self.withCreation { creation, store, _ in
      let (key, twice) = ("k-\(UUID.random())", UUID.random())
      let first = Make.order(.random(), key: (key, [1]))
      // Its key is taken by the first in the same batch; its id is the third's.
      let second = Make.order(twice, amount: 5, key: (key, [1]))
      let third = Make.order(twice, amount: 6)
      let words = await Self.create([first, second, third], creation)
      #expect(words == ["created", "replayed", "created"])
      let kept = try await store.order(twice)
      #expect(kept?.amount == 6)
    }
  }

  @Test func `a caller that gives up takes its order back, unless its batch has begun`() async throws {
    try await Self.withCreation { creation, store, loop in
      let (early, late) = (Make.order(.random()), Make.order(.random()))
      let first = loop.startTask { _ = try? await creation.create(early) }
      first.cancel()
      await first.value
      let second = loop.startTask { _ = try? await creation.create(late) }
      while creation.waiting > 0 { try await loop.sleep(for: .milliseconds(1)) }
      second.cancel()
      let part = creation.part
      part.beginGracefulShutdown()
      try await part.run()
      let kept = try await store.orders([early.id, late.id])
      #expect(kept == [late.id: late.order])
    }
  }

  @Test(arguments: [CuttingProxy.Moment.beforeTheServerHears, .beforeTheClientHears])
  func `an order is taken once when the database is lost meanwhile`(moment: CuttingProxy.Moment) async throws {
    let url = try Self.database.get()
    try await onLoop { loop in
      var components = try #require(URLComponents(string: url))
      // The description of the second order: by then the statement is prepared, so that this is its execution.
      let word = "word-\(UUID.random())"
      let proxy = try CuttingProxy(loop: loop, target: try #require(components.port), word: word, moment: moment)
      defer { proxy.close() }
      components.port = proxy.port
      try await TestDatabase.withPool(try #require(components.string), service: "orders", on: loop) { pool in
        let creation = Self.creation(pool)
        #expect(await Self.create([Make.order(.random())], creation) == ["created"])
        var order = Make.order(.random())
        order.description = word
        let words = await Self.create([order], creation)
        #expect(words == [moment == .beforeTheServerHears ? "created" : "repeated"])
        #expect(proxy.cutsLeft == 0)
        let kept = try await OrderStore(pool).order(order.id)
        #expect(kept == order.order)
      }
    }
  }

  @Test func `it is not claimed that an order was not taken when nobody could look`() async throws {
    let url = try Self.database.get()
    try await onLoop { loop in
      var components = try #require(URLComponents(string: url))
      let proxy = try CuttingProxy(
        loop: loop, target: try #require(components.port), word: "FROM orders WHERE id = ANY",
        moment: .beforeTheServerHears, cuts: 100)
      defer { proxy.close() }
      components.port = proxy.port
      try await TestDatabase.withPool(try #require(components.string), service: "orders", on: loop) { pool in
        let creation = Self.creation(pool)
        let order = Make.order(.random())
        #expect(await Self.create([order], creation) == ["created"])
        // As after a commit whose answer was lost: the second try finds that the id is there.
        #expect(await Self.create([order], creation) == ["unknownOutcome"])
        #expect(proxy.cutsLeft < 100)
      }
    }
  }

  @Test func `the service says what became of an order`() async throws {
    try await TestDatabase.withPool(try Self.database.get(), service: "orders") { pool in
      let loop = pool.loop
      let service = Self.service(pool)
      let key: Metadata = ["idempotency-key": "k-\(UUID.random())"]
      var request = CreateOrderRequest(userId: .random(), amount: 10)
      func call(_ metadata: Metadata = key) async throws -> (order: Order, isReplay: Bool) {
        let context = CallContext(loop: loop, metadata: metadata)
        let order = try await service.createOrder(request, context: context)
        return (order, context.responseMetadata["idempotency-replayed"] == "true")
      }
      let first = try await call()
      let again = try await call()
      #expect(!first.isReplay && again.isReplay && first.order == again.order && first.order.status == .new)
      request.amount = 11
      let reused = await #expect(throws: RPCError.self) { try await call() }
      #expect(reused?.reason == "IDEMPOTENCY_KEY_REUSED")
      request.id = first.order.id
      let taken = await #expect(throws: RPCError.self) { try await call([:]) }
      #expect(taken?.code == .alreadyExists && taken?.reason == "ORDER_EXISTS")
      for ask in [
        { _ = try await service.getOrder(GetOrderRequest(id: .random()), context: CallContext(loop: loop)) },
        { _ = try await service.cancelOrder(CancelOrderRequest(id: .random()), context: CallContext(loop: loop)) },
        {
          _ = try await service.listOrderEvents(
            ListOrderEventsRequest(id: .random()), context: CallContext(loop: loop))
        },
      ] {
        let missing = await #expect(throws: RPCError.self) { try await ask() }
        #expect(missing?.code == .notFound && missing?.reason == "NO_ORDER")
      }
    }
  }
}
