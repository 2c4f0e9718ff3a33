import API
import EventLoop
import Foundation
import Postgres
import RPC
import TestSupport
import Testing
import Wire

/// The two services as processes of this build, with databases and a broker of their own, and clients of them.
// Confined to the loop of its test.
final class Shop: @unchecked Sendable {
  /// A process, and the client that calls it.
  struct Replica {
    let process: TestProcess
    let client: RPCClient
  }

  let loop: EventLoop
  let broker: TestNATS
  private(set) var orders: [Replica] = []
  private(set) var payments: [Replica] = []
  private let folder: String
  private let databases: [String: String]
  private var runs: [Task<Void, Never>] = []

  private init(loop: EventLoop, broker: TestNATS, databases: [String: String], folder: String) {
    self.loop = loop
    self.broker = broker
    self.databases = databases
    self.folder = folder
  }

  /// Runs `body` with so many replicas of each service, which are gone when it returns.
  static func open(replicas: Int = 1, _ body: @escaping @Sendable (Shop) async throws -> Void) async throws {
    let databases = [
      "orders": try TestDatabase.make("shop_orders"), "payments": try TestDatabase.make("shop_payments"),
    ]
    let folder = NSTemporaryDirectory() + "/gozon-shop-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try await TestNATS.withServer { broker in
      try await onLoop { loop in
        let shop = Shop(loop: loop, broker: broker, databases: databases, folder: folder)
        do {
          for _ in 0..<replicas {
            try await shop.startOrders()
            try await shop.startPayments()
          }
          try await body(shop)
        } catch {
          shop.report()
          await shop.close()
          throw error
        }
        await shop.close()
      }
    }
    try FileManager.default.removeItem(atPath: folder)
  }

  /// Starts a replica of orders, and waits until it is ready.
  func startOrders() async throws { orders.append(try await start("orders")) }

  /// Starts a replica of payments, and waits until it is ready.
  func startPayments() async throws { payments.append(try await start("payments")) }

  private func start(_ service: String) async throws -> Replica {
    let portsFile = "\(folder)/\(service)-\(UInt32.random(in: 0 ... .max)).json"
    let process = try TestProcess(
      "gozon-\(service)",
      [
        "--\(service)-port=0", "--\(service)-admin-port=0", "--database-url-\(service)=\(databases[service]!)",
        "--nats-url=\(broker.url)", "--migrations=\(TestDatabase.checkout)/Schemas/sql/\(service)",
        "--ports-file=\(portsFile)",
      ], folder: folder)
    var port: Int?
    try await until("\(service) listens") {
      let data = FileManager.default.contents(atPath: portsFile) ?? Data()
      port = (try? JSONSerialization.jsonObject(with: data) as? [String: Int])?[service]
      return port != nil || process.hasExited
    }
    let client = RPCClient(loop: loop, host: "127.0.0.1", port: try #require(port, "\(service) has ended"))
    runs.append(loop.startTask { await client.run() })
    try await until("\(service) is ready") {
      let health = try? await ServerClient(client).checkHealth(CheckHealthRequest(), options: Self.options)
      return health?.status == .serving
    }
    return Replica(process: process, client: client)
  }

  private func close() async {
    for run in runs { run.cancel() }
    for run in runs { await run.value }
    for replica in orders + payments { replica.process.kill() }
  }

  /// Shows what the processes logged, for whoever has to find out why a test failed.
  private func report() {
    for replica in orders + payments {
      let log = (try? String(contentsOfFile: replica.process.log, encoding: .utf8)) ?? ""
      print("--- \(replica.process.log)\n\(log.suffix(3_000))")
    }
  }

  // MARK: Calls

  static let options = CallOptions(timeout: .seconds(20), waitsForReady: true)

  /// Waits until `condition` holds.
  func until(
    _ what: String, within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
  ) async throws {
    let deadline = loop.now + limit
    while try await !condition() {
      if loop.now >= deadline { throw TestProcess.Failure("not in time: \(what)") }
      try await loop.sleep(for: .milliseconds(20))
    }
  }

  /// A user with this balance.
  func user(balance: Int64) async throws -> UUID {
    let user = UUID.random()
    let payments = PaymentsClient(payments[0].client)
    _ = try await payments.createAccount(CreateAccountRequest(userId: user), options: Self.options)
    if balance > 0 {
      _ = try await payments.deposit(DepositRequest(userId: user, amount: balance), options: Self.options)
    }
    return user
  }

  /// Places the orders at the same time, over all replicas in turn; what became of each.
  func place(
    _ requests: [CreateOrderRequest], options: CallOptions = Shop.options
  ) async -> [Result<Order, RPCError>] {
    await withTaskGroup(of: (Int, Result<Order, RPCError>).self) { group in
      for (place, request) in requests.enumerated() {
        let client = OrdersClient(orders[place % orders.count].client)
        group.addTask {
          do {
            return (place, .success(try await client.createOrder(request, options: options)))
          } catch {
            return (place, .failure(error as? RPCError ?? RPCError(.unknown, "\(error)")))
          }
        }
      }
      var results = [Result<Order, RPCError>](repeating: .failure(RPCError(.unknown, "")), count: requests.count)
      for await (place, result) in group { results[place] = result }
      return results
    }
  }

  /// Places an order under an id of its own until it is known to be taken, whatever fails meanwhile.
  func insist(_ request: CreateOrderRequest) async throws {
    try await until("order \(request.id ?? .zero) is taken") {
      for replica in orders {
        let options = CallOptions(timeout: .seconds(5))
        if (try? await OrdersClient(replica.client).createOrder(request, options: options)) != nil { return true }
      }
      return false
    }
  }

  /// Cancels an order until it has its result, whatever fails meanwhile.
  @discardableResult
  func cancel(_ id: UUID) async throws -> Order {
    var result: Order?
    try await until("order \(id) is cancelled") {
      for replica in orders.shuffled() where result == nil {
        let options = CallOptions(timeout: .seconds(5))
        let order = try? await OrdersClient(replica.client).cancelOrder(CancelOrderRequest(id: id), options: options)
        if let order, order.status == .cancelled || order.status == .refunded { result = order }
      }
      return result != nil
    }
    return result!
  }

  /// The orders, once none of them is NEW.
  func settled(_ ids: [UUID], within limit: Duration = .seconds(60)) async throws -> [Order] {
    var found: [UUID: Order] = [:]
    try await until("\(ids.count) orders settle", within: limit) {
      for id in ids where found[id] == nil || found[id]?.status == .new {
        let client = orders.first { !$0.process.hasExited }?.client ?? orders[0].client
        let order = try await OrdersClient(client).getOrder(GetOrderRequest(id: id), options: Self.options)
        found[id] = order
        if order.status == .new { return false }
      }
      return true
    }
    return ids.compactMap { found[$0] }
  }

  /// Checks both databases against each other: each order settled once, by one charge of the same outcome, and refunded
  /// where the order says so; each account what its ledger says; nothing left to be asked about.
  func audit(deposited: Int64) async throws {
    let service = databases
    try await TestDatabase.withPool(service["payments"]!, service: "payments", on: loop) { payments in
      try await TestDatabase.withPool(service["orders"]!, service: "orders", on: loop) { orders in
        let charges = try await Self.outcomes(
          payments,
          Statement(
            """
            SELECT order_id, c.amount,
              CASE WHEN outcome <> 1 THEN 3 WHEN e.cause IS NULL THEN 2 ELSE 4 END::int,
              CASE outcome WHEN 1 THEN 0 WHEN 5 THEN 4 ELSE outcome - 1 END::int
            FROM charges c LEFT JOIN entries e ON kind = 3 AND cause = order_id AND e.amount = c.amount
            """))
        let settled = try await Self.outcomes(
          orders, Statement("SELECT id, amount, status::int, coalesce(reason, 0)::int FROM orders"))
        #expect(settled == charges)
        let spent = settled.values.filter { $0.outcome == 2 }.reduce(0) { $0 + $1.amount }
        let row = try await payments.query(
          Statement(
            """
            SELECT (SELECT sum(balance) FROM accounts)::bigint, (SELECT sum(amount) FROM entries)::bigint,
              (SELECT count(*) FROM (SELECT FROM entries GROUP BY cause, kind HAVING count(*) > 1) twice)
            """)
        ).single()
        let (balances, entries, twice) = try row.values((Int64, Int64, Int64).self)
        #expect(balances == deposited - spent && entries == balances && twice == 0)
        try await until("nothing is left to be asked about") {
          try await orders.query(Statement("SELECT FROM resends LIMIT 1")).isEmpty
        }
      }
    }
  }

  private struct Outcome: Equatable {
    let amount: Int64
    let outcome: Int32
    let reason: Int32
  }

  private static func outcomes(_ pool: PostgresPool, _ statement: Statement) async throws -> [UUID: Outcome] {
    var outcomes: [UUID: Outcome] = [:]
    for row in try await pool.query(statement) {
      let (id, amount, outcome, reason) = try row.values((UUID, Int64, Int32, Int32).self)
      outcomes[id] = Outcome(amount: amount, outcome: outcome, reason: reason)
    }
    return outcomes
  }
}

/// Foundation has another.
typealias UUID = Wire.UUID

extension UUID {
  /// An id that nothing else has.
  static func random() -> UUID { UUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
}
