package import API
package import EventLoop
package import Idempotency
package import Messaging
package import Postgres
package import Wire

/// All SQL of payments. A `deadline` is the caller's, as in `PostgresPool`.
package struct PaymentStore: Sendable {
  private let pool: PostgresPool

  /// A store in the database of `pool`.
  package init(_ pool: PostgresPool) { self.pool = pool }

  /// Where the store is used.
  package var loop: EventLoop { pool.loop }

  // MARK: Settling

  /// Decides requests and writes down how far their lanes are processed, in one transaction of two round trips: lock the
  /// accounts and look for what was decided before; then write charges, entries and balances, and commit.
  ///
  /// Whichever comes first to an order writes its charge, which the other finds: whoever has an account waits for its
  /// lock, and of others the second insert breaks the primary key and is repeated.
  /// - Returns: what is known of each request's order, in order.
  /// - Throws: ``LanesLost`` when another process has the lanes by now; nothing is written then.
  package func settle(
    _ requests: [PaymentRequest], at time: Timestamp, places: [LanePlace] = []
  ) async throws -> [OrderSettled] {
    try await pool.withTransaction { transaction in
      let written = places.isEmpty ? nil : transaction.send(LaneTable.advance(places))
      if requests.isEmpty {
        if let written { try LaneTable.check(try await written.rows(), against: places) }
        return []
      }
      let locked = transaction.send(Self.lockAccounts(of: requests.map { $0.userID }))
      let decided = transaction.send(Self.charges(of: requests.map { $0.orderID }))
      let accounts = try Self.accounts(try await locked.rows())
      if let written { try LaneTable.check(try await written.rows(), against: places) }
      let settlement = Settlement(
        of: requests, decided: try Self.charges(try await decided.rows()), accounts: accounts, at: time)
      if !settlement.charges.isEmpty { transaction.send(Self.insertCharges(settlement.charges)) }
      Self.write(settlement.ledger, in: transaction)
      return settlement.results
    }
  }

  // MARK: Accounts and deposits

  /// Puts money on accounts, in one transaction of two round trips.
  ///
  /// - Returns: what became of each deposit, in order.
  /// - Throws: `.unknownOutcome` only when it cannot be found out whether the commit happened.
  package func deposit(
    _ deposits: [NewDeposit], deadline: LoopInstant? = nil, triesMax: Int = 3
  ) async throws -> [IdempotentOutcome<Deposit>] {
    var plan: DepositPlan?
    do {
      return try await pool.withTransaction(deadline: deadline) { transaction in
        let locked = transaction.send(Self.lockAccounts(of: deposits.map { $0.userID }))
        let keys = deposits.compactMap { $0.idempotency?.key }
        let keyed = keys.isEmpty ? nil : transaction.send(KeyTable.find(keys))
        let accounts = try Self.accounts(try await locked.rows())
        let answers = try KeyTable.answers(try await keyed?.rows())
        let decided = DepositPlan(of: deposits, answers: answers, accounts: accounts)
        Self.write(decided.ledger, in: transaction)
        if !decided.answers.new.isEmpty { transaction.send(KeyTable.insert(decided.answers.new)) }
        plan = decided
        return decided.outcomes
      }
    } catch let unknown as PostgresError where unknown.code == .unknownOutcome {
      guard let plan else { throw unknown }
      // A commit is whole or not at all, so one of its entries tells of them all.
      guard let entry = plan.ledger.entries.first else { return plan.outcomes }
      guard let isWritten = try? await isWritten(entry) else { throw unknown }
      if isWritten { return plan.outcomes }
      guard triesMax > 1 else { throw unknown }
      return try await deposit(deposits, deadline: deadline, triesMax: triesMax - 1)
    }
  }

  /// Whether the ledger has `entry`, once whatever held its account has ended. No deadline: callers that wait for the
  /// answer have lost theirs only if they were told nothing.
  private func isWritten(_ entry: LedgerEntry) async throws -> Bool {
    try await pool.withTransaction { transaction in
      transaction.send(Self.lockAccounts(of: [entry.userID]))
      return try await !transaction.query(
        Statement(
          "SELECT FROM entries WHERE user_id = $1 AND number = $2 AND cause = $3", entry.userID, entry.number,
          entry.cause)
      ).isEmpty
    }
  }

  /// Opens an account, unless the user has one.
  ///
  /// A key that another transaction takes meanwhile breaks the primary key: repeated, this finds it.
  package func createAccount(
    _ account: Account, _ idempotency: IdempotentRequest?, deadline: LoopInstant? = nil
  ) async throws -> IdempotentOutcome<Account> {
    struct AccountExists: Error {}
    do {
      return try await pool.withTransaction(deadline: deadline) { transaction in
        if let own = idempotency {
          let found = try await transaction.query(KeyTable.find([own.key]))
          switch try KeyTable.answers(found).verdict(on: own) {
          case .isRepeat(let response): return .replayed(try Account(decoding: response))
          case .isAnother: return .keyReused
          case .isNew: break
          }
        }
        let created = transaction.send(Self.insertAccount(account))
        if let own = idempotency {
          transaction.send(KeyTable.insert([KeyedAnswer(to: own, response: account.encoded())]))
        }
        if try await created.rows().isEmpty, try await !transaction.query(Self.isOpened(account)).single().value(0) {
          throw AccountExists()  // which takes the key back
        }
        return .done(account)
      }
    } catch is AccountExists {
      return .accountExists
    }
  }

  // MARK: Reading

  /// The accounts that there are of some users.
  package func accounts(of userIDs: [UUID], deadline: LoopInstant? = nil) async throws -> [UUID: Account] {
    let rows = try await pool.query(
      Statement("SELECT user_id, currency, balance, created_at FROM accounts WHERE user_id = ANY ($1)", userIDs),
      deadline: deadline)
    var accounts = [UUID: Account](minimumCapacity: rows.count)
    for row in rows {
      let (userID, currency, balance, createdAt) = try row.values((UUID, String, Int64, Timestamp).self)
      accounts[userID] = Account(userId: userID, balance: balance, currency: currency, createdAt: createdAt)
    }
    return accounts
  }

  /// Entries of a statement, newest first: those numbered below `number`.
  package func entries(
    of userID: UUID, below number: Int64, countMax: Int, deadline: LoopInstant? = nil
  ) async throws -> [Entry] {
    let rows = try await pool.query(
      Statement(
        """
        SELECT number, kind, cause, amount, entries.balance, currency, entries.created_at
        FROM entries JOIN accounts USING (user_id)
        WHERE user_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3
        """, userID, number, Int64(countMax)), deadline: deadline)
    return try rows.map(Self.entry)
  }

  // MARK: Statements

  /// Locks accounts in the order of their ids, so that transactions wait for each other and never in a circle.
  private static func lockAccounts(of userIDs: [UUID]) -> Statement {
    Statement(
      """
      SELECT user_id, currency, balance, deposited, entries FROM accounts WHERE user_id = ANY ($1)
      ORDER BY user_id FOR NO KEY UPDATE
      """, Array(Set(userIDs)))
  }

  /// Whether the user's account is this very one: a commit of ours whose outcome was not known did happen.
  private static func isOpened(_ account: Account) -> Statement {
    Statement(
      "SELECT currency = $2 AND created_at = $3 FROM accounts WHERE user_id = $1", account.userId, account.currency,
      account.createdAt)
  }

  /// What was decided about orders; the refund of one is its entry.
  private static func charges(of orderIDs: [UUID]) -> Statement {
    Statement(
      """
      SELECT order_id, user_id, outcome, settled_at, amount, currency,
        (SELECT created_at FROM entries WHERE kind = 3 AND cause = order_id)
      FROM charges WHERE order_id = ANY ($1)
      """, orderIDs)
  }

  private static func insertCharges(_ charges: [Charge]) -> Statement {
    let charges = charges.sorted { $0.result.orderId < $1.result.orderId }
    return Statement(
      """
      INSERT INTO charges (order_id, user_id, amount, currency, outcome, settled_at)
      SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::smallint[], $6::timestamptz[])
      """,
      charges.map { $0.result.orderId }, charges.map { $0.result.userId }, charges.map { $0.amount },
      charges.map { $0.currency }, charges.map { Int16(bitPattern: $0.result.outcome.rawValue) },
      charges.map { $0.result.settledAt })
  }

  /// Appends the plan's entries and sets the balances of the accounts that it locked.
  private static func write(_ plan: LedgerPlan, in transaction: borrowing Transaction) {
    if plan.entries.isEmpty { return }
    let entries = plan.entries
    transaction.send(
      Statement(
        """
        INSERT INTO entries (user_id, number, kind, cause, amount, balance, created_at)
        SELECT * FROM unnest(
          $1::uuid[], $2::bigint[], $3::smallint[], $4::uuid[], $5::bigint[], $6::bigint[], $7::timestamptz[])
        """,
        entries.map { $0.userID }, entries.map { $0.number }, entries.map { Int16(bitPattern: $0.kind.rawValue) },
        entries.map { $0.cause }, entries.map { $0.amount }, entries.map { $0.balance }, entries.map { $0.createdAt }))
    let changed = plan.changed.map { (userID: $0, state: plan.accounts[$0]!) }
    transaction.send(
      Statement(
        """
        UPDATE accounts SET balance = changed.balance, deposited = changed.deposited, entries = changed.entries
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])
          AS changed (user_id, balance, deposited, entries)
        WHERE accounts.user_id = changed.user_id
        """, changed.map { $0.userID }, changed.map { $0.state.balance }, changed.map { $0.state.deposited },
        changed.map { $0.state.entries }))
  }

  private static func insertAccount(_ account: Account) -> Statement {
    Statement(
      """
      INSERT INTO accounts (user_id, currency, created_at) VALUES ($1, $2, $3)
      ON CONFLICT DO NOTHING RETURNING user_id
      """, account.userId, account.currency, account.createdAt)
  }

  // MARK: Rows

  private static func accounts(_ rows: Rows) throws -> [UUID: AccountState] {
    var accounts: [UUID: AccountState] = [:]
    for row in rows {
      let (userID, currency, balance, deposited, entries) = try row.values((UUID, String, Int64, Int64, Int64).self)
      accounts[userID] = AccountState(currency: currency, balance: balance, deposited: deposited, entries: entries)
    }
    return accounts
  }

  private static func charges(_ rows: Rows) throws -> [UUID: Charge] {
    var charges: [UUID: Charge] = [:]
    for row in rows {
      let (orderID, userID, outcome, settledAt) = try row.values((UUID, UUID, Int16, Timestamp).self)
      guard let outcome = ChargeOutcome(rawValue: UInt16(bitPattern: outcome)) else { continue }
      let result = OrderSettled(
        orderId: orderID, userId: userID, outcome: outcome, settledAt: settledAt, refundedAt: try row.value(6))
      charges[orderID] = Charge(result: result, amount: try row.value(4), currency: try row.value(5))
    }
    return charges
  }

  private static func entry(_ row: Row) throws -> Entry {
    let (number, kind, cause, amount) = try row.values((Int64, Int16, UUID, Int64).self)
    let isDeposit = UInt16(bitPattern: kind) == EntryKind.deposit.rawValue
    return Entry(
      id: number, kind: EntryKind(rawValue: UInt16(bitPattern: kind)) ?? .deposit, amount: amount,
      balance: try row.value(4), currency: try row.value(5), orderId: isDeposit ? nil : cause,
      depositId: isDeposit ? cause : nil, createdAt: try row.value(6))
  }
}
