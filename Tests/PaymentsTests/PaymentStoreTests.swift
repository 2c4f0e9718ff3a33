import API
import EventLoop
import Idempotency
import Messaging
import Postgres
import RPC
import TestSupport
import Testing
import Wire

@testable import Payments

@Suite struct PaymentStoreTests {
  private static let database = Result { try TestDatabase.make("payment_store") }

  private static func withPool(_ body: @escaping @Sendable (PaymentStore, PostgresPool) async throws -> Void)
    async throws
  {
    try await TestDatabase.withPool(try database.get(), service: "payments") { try await body(PaymentStore($0), $0) }
  }

  /// Two pools on one database, as two replicas of the service have.
  private static func withReplicas(_ body: @escaping @Sendable ([PaymentStore], PostgresPool) async throws -> Void)
    async throws
  {
    let url = try database.get()
    try await onLoop { loop in
      try await TestDatabase.withPool(url, service: "payments", on: loop) { first in
        try await TestDatabase.withPool(url, service: "payments", on: loop) { second in
          try await body([PaymentStore(first), PaymentStore(second)], first)
        }
      }
    }
  }

  /// A user with this balance.
  static func user(_ store: PaymentStore, balance: Int64) async throws -> UUID {
    let user = UUID.random()
    let account = Account(userId: user, balance: 0, currency: "RUB", createdAt: .now)
    #expect(try await store.createAccount(account, nil) == .done(account))
    if balance > 0 { _ = try await store.deposit([deposit(user, balance)]) }
    return user
  }

  static func deposit(_ user: UUID, _ amount: Int64, key: String? = nil, request: [UInt8] = [1]) -> NewDeposit {
    NewDeposit(
      id: .random(), userID: user, amount: amount, createdAt: .now,
      idempotency: key.map { keyed($0, "Deposit", request) })
  }

  private static func keyed(_ key: String, _ method: String, _ request: [UInt8] = [1]) -> IdempotentRequest {
    IdempotentRequest(IdempotencyKey(key, method: method), request: request)
  }

  private static func order(_ user: UUID, _ amount: Int64, id: UUID = .random()) -> OrderCreated {
    OrderCreated(orderId: id, userId: user, amount: amount, currency: "RUB", createdAt: .now)
  }

  /// Checks what must hold of an account whatever happened: numbers without gaps, running balances, one entry of a kind
  /// for each cause.
  static func audit(_ pool: PostgresPool, _ user: UUID) async throws {
    let row = try await pool.query(
      Statement(
        """
        SELECT a.balance, a.entries, coalesce(sum(e.amount), 0)::bigint, count(e.*), count(DISTINCT (e.cause, e.kind)) FILTER (WHERE e.kind IS NOT NULL),
          coalesce(bool_and(e.balance = e.running AND e.number = e.place), true)
        FROM accounts a LEFT JOIN (
          SELECT *, sum(amount) OVER w AS running, row_number() OVER w AS place FROM entries
          WINDOW w AS (PARTITION BY user_id ORDER BY number)
        ) e USING (user_id)
        WHERE user_id = $1 GROUP BY a.balance, a.entries
        """, user)
    ).single()
    let (balance, entries, sum, count, causes, isRunning) = try row.values(
      (Int64, Int64, Int64, Int64, Int64, Bool).self)
    #expect(balance == sum && entries == count && count == causes && isRunning)
  }

  @Test func `a user has one account, opened once under a key`() async throws {
    try await Self.withPool { store, _ in
      let (user, key) = (UUID.random(), "k-\(UUID.random())")
      let account = Account(userId: user, balance: 0, currency: "EUR", createdAt: .now)
      let own = Self.keyed(key, "CreateAccount")
      let opened = try await store.createAccount(account, own)
      #expect(opened == .done(account))
      #expect(try await store.account(of: user) == account)
      let later = Account(userId: user, balance: 0, currency: "EUR", createdAt: .now)
      #expect(try await store.createAccount(later, own) == .replayed(account))
      #expect(try await store.createAccount(later, Self.keyed(key, "CreateAccount", [2])) == .keyReused)
      #expect(try await store.createAccount(later, nil) == .accountExists)
      // A refusal leaves its key free.
      let free = Self.keyed("f-\(UUID.random())", "CreateAccount")
      #expect(try await store.createAccount(later, free) == .accountExists)
      let other = Account(userId: .random(), balance: 0, currency: "EUR", createdAt: .now)
      #expect(try await store.createAccount(other, free) == .done(other))
      #expect(try await store.account(of: .random()) == nil)
    }
  }

  @Test func `an account opened by fifty calls at once is opened once`() async throws {
    try await Self.withReplicas { stores, pool in
      let user = UUID.random()
      let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
        for number in 0..<50 {
          group.addTask {
            let time = Timestamp(microseconds: Timestamp.now.microseconds + Int64(number))
            let account = Account(userId: user, balance: 0, currency: "RUB", createdAt: time)
            return try await stores[number % 2].createAccount(account, nil) == .done(account)
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.count { $0 } == 1)
      try await Self.audit(pool, user)
    }
  }

  @Test func `deposits from two replicas at once all arrive, and each knows its balance`() async throws {
    try await Self.withReplicas { stores, pool in
      let user = try await Self.user(stores[0], balance: 0)
      let balances = try await withThrowingTaskGroup(of: [Int64].self) { group in
        for number in 0..<40 {
          group.addTask {
            let batch = (0..<5).map { _ in Self.deposit(user, 1) }
            return try await stores[number % 2].deposit(batch).map { outcome in
              if case .done(let deposit) = outcome { deposit.balance } else { -1 }
            }
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(balances.sorted() == Array(1...200))
      #expect(try await stores[0].account(of: user)?.balance == 200)
      try await Self.audit(pool, user)
    }
  }

  @Test func `an order settled from two replicas at once is charged once`() async throws {
    try await Self.withReplicas { stores, pool in
      let user = try await Self.user(stores[0], balance: 1_000)
      let stranger = UUID.random()
      let orders = (0..<40).map { Self.order($0 % 4 == 0 ? stranger : user, 10) }
      let loop = pool.loop
      let answers = try await withThrowingTaskGroup(of: [OrderSettled].self) { group in
        for number in 0..<8 {
          group.addTask {
            let mine = number % 2 == 0 ? orders : orders.reversed()
            return try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: true) {
              try await stores[number % 2].settle(mine, at: .now)
            }
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      // Every replica gives the same answer, to the microsecond.
      for (_, same) in Dictionary(grouping: answers, by: \.orderId) {
        #expect(same.count == 8 && same.allSatisfy { $0 == same[0] })
      }
      #expect(try await stores[0].account(of: user)?.balance == 700)
      let count: Int64 = try await pool.query(
        Statement("SELECT count(*) FROM charges WHERE order_id = ANY ($1)", orders.map(\.orderId))
      ).single().value(0)
      #expect(count == 40)
      try await Self.audit(pool, user)
    }
  }

  @Test func `money that two replicas fight over is spent once`() async throws {
    try await Self.withReplicas { stores, pool in
      let user = try await Self.user(stores[0], balance: 500)
      let outcomes = try await withThrowingTaskGroup(of: [ChargeOutcome].self) { group in
        for number in 0..<20 {
          group.addTask {
            let orders = (0..<5).map { _ in Self.order(user, 10) }
            return try await stores[number % 2].settle(orders, at: .now).map(\.outcome)
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(outcomes.count { $0 == .charged } == 50 && outcomes.count { $0 == .insufficientFunds } == 50)
      #expect(try await stores[0].account(of: user)?.balance == 0)
      try await Self.audit(pool, user)
    }
  }

  @Test func `a repeat is answered as the first time, even when the account has changed`() async throws {
    try await Self.withPool { store, pool in
      let user = try await Self.user(store, balance: 5)
      let order = Self.order(user, 10)
      let first = try await store.settle([order, order], at: .now)
      #expect(first.map(\.outcome) == [.insufficientFunds, .insufficientFunds])
      _ = try await store.deposit([Self.deposit(user, 100)])
      #expect(try await store.settle([order], at: .now) == [first[0]])
      #expect(try await store.account(of: user)?.balance == 105)
      try await Self.audit(pool, user)
    }
  }

  @Test func `a key works once, whatever replica it comes to`() async throws {
    try await Self.withReplicas { stores, pool in
      let users = [try await Self.user(stores[0], balance: 0), try await Self.user(stores[0], balance: 0)]
      let loop = pool.loop
      for round in 0..<30 {
        let key = "k-\(UUID.random())"
        let words = try await withThrowingTaskGroup(of: String.self) { group in
          for number in 0..<4 {
            group.addTask {
              // The same key for one user and, wrongly, for another.
              let user = users[(number + round) % 2]
              let deposit = Self.deposit(user, 1, key: key, request: [UInt8((number + round) % 2)])
              return try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: false) {
                switch try await stores[number / 2].deposit([deposit])[0] {
                case .done: "done"
                case .replayed: "replayed"
                case .keyReused: "reused"
                default: "?"
                }
              }
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(words.sorted() == ["done", "replayed", "reused", "reused"])
      }
      let balances = try await [stores[0].account(of: users[0])?.balance, stores[0].account(of: users[1])?.balance]
      #expect(balances.compactMap { $0 }.reduce(0, +) == 30)
      for user in users { try await Self.audit(pool, user) }
    }
  }

  @Test func `an account opened under one key at two replicas at once is opened once, and both are told so`()
    async throws
  {
    try await Self.withReplicas { stores, pool in
      for _ in 0..<20 {
        let (user, key) = (UUID.random(), "k-\(UUID.random())")
        let accounts = try await withThrowingTaskGroup(of: Account?.self) { group in
          for (number, store) in stores.enumerated() {
            group.addTask {
              let time = Timestamp(microseconds: Timestamp.now.microseconds + Int64(number))
              let account = Account(userId: user, balance: 0, currency: "RUB", createdAt: time)
              let outcome = try await repeatingHarmlessly(on: pool.loop, isSafeWhenUnknown: true) {
                try await store.createAccount(account, Self.keyed(key, "CreateAccount"))
              }
              return switch outcome {
              case .done(let account), .replayed(let account): account
              default: nil
              }
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(accounts.count == 2 && accounts[0] != nil && accounts[0] == accounts[1])
      }
    }
  }

  @Test func `a statement lists every entry once, newest first`() async throws {
    try await Self.withPool { store, _ in
      let user = try await Self.user(store, balance: 1_000)
      let orders = (0..<6).map { _ in Self.order(user, 100) }
      _ = try await store.settle(orders, at: .now)
      var (entries, below) = ([Entry](), Int64.max)
      while true {
        let page = try await store.entries(of: user, below: below, countMax: 2)
        guard let last = page.last else { break }
        entries += page
        below = last.id
      }
      #expect(
        entries.map(\.id) == [7, 6, 5, 4, 3, 2, 1] && entries.map(\.balance) == [400, 500, 600, 700, 800, 900, 1_000])
      #expect(entries.prefix(6).map(\.orderId) == orders.reversed().map(\.orderId))
      #expect(entries.prefix(6).allSatisfy { $0.kind == .charge && $0.amount == -100 && $0.depositId == nil })
      #expect(entries[6].kind == .deposit && entries[6].depositId != nil && entries[6].orderId == nil)
    }
  }

  @Test func `pages of a statement neither skip nor repeat an entry, whatever is added in between`() async throws {
    try await Self.withPool { store, pool in
      let service = PaymentsServiceImplementation(
        store: store, deposits: DepositBatches(loop: pool.loop, store: store),
        runningKeys: RunningKeys(loop: pool.loop),
        currency: "RUB")
      var random = SeededRandom()
      for _ in 0..<12 {
        let user = try await Self.user(store, balance: 0)
        let before = Int.random(in: 0...30, using: &random)
        if before > 0 { _ = try await store.deposit((0..<before).map { _ in Self.deposit(user, 1) }) }
        var (ids, token) = ([Int64](), "")
        let size = Int32.random(in: 1...9, using: &random)
        repeat {
          let request = ListEntriesRequest(userId: user, pageSize: size, pageToken: token)
          let page = try await service.listEntries(request, context: CallContext(loop: pool.loop))
          ids += page.entries.map(\.id)
          token = page.nextPageToken
          _ = try await store.deposit((0...Int.random(in: 0...2, using: &random)).map { _ in Self.deposit(user, 1) })
        } while !token.isEmpty
        #expect(ids == (0..<Int64(before)).map { Int64(before) - $0 }, "seed \(random.seed)")
      }
    }
  }

  @Test func `what is written down can be neither changed nor removed`() async throws {
    try await Self.withPool { store, pool in
      let user = try await Self.user(store, balance: 100)
      _ = try await store.settle([Self.order(user, 10)], at: .now)
      for statement in [
        Statement("UPDATE entries SET amount = 1 WHERE user_id = $1", user),
        Statement("DELETE FROM entries WHERE user_id = $1", user), Statement("TRUNCATE entries"),
        Statement("UPDATE charges SET outcome = 1 WHERE user_id = $1", user),
        Statement("DELETE FROM charges WHERE user_id = $1", user), Statement("TRUNCATE charges"),
      ] {
        let error = await #expect(throws: PostgresError.self) { try await pool.execute(statement) }
        #expect(error?.sqlState == "23000" && String(reflecting: error!).contains("append-only"))
      }
      for statement in [
        Statement("UPDATE accounts SET balance = -1 WHERE user_id = $1", user),
        Statement(
          "UPDATE accounts SET balance = 9007199254740992, deposited = 9007199254740992 WHERE user_id = $1", user),
        Statement("UPDATE accounts SET balance = deposited + 1 WHERE user_id = $1", user),
        Statement("INSERT INTO entries VALUES ($1, 3, 1, $1, -5, 1, now())", user),
        Statement("INSERT INTO entries VALUES ($1, 3, 2, $1, 5, 1, now())", user),
        Statement("INSERT INTO entries VALUES ($1, 3, 2, $1, -5, -1, now())", user),
      ] {
        let error = await #expect(throws: PostgresError.self) { try await pool.execute(statement) }
        #expect(error?.sqlState == .checkViolation)
      }
      try await Self.audit(pool, user)
    }
  }
}

extension UUID {
  /// An id that nothing else has.
  static func random() -> UUID { UUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }
}
