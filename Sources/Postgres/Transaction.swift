package import EventLoop

/// What concurrent transactions may see of each other (PostgreSQL, chapter 13.2).
package enum IsolationLevel: Sendable {
  case readCommitted, repeatableRead, serializable
  /// Repeatable read that changes nothing: one moment of the whole database.
  case snapshot

  var begin: Statement {
    switch self {
    case .readCommitted: Statement("BEGIN ISOLATION LEVEL READ COMMITTED")
    case .repeatableRead: Statement("BEGIN ISOLATION LEVEL REPEATABLE READ")
    case .serializable: Statement("BEGIN ISOLATION LEVEL SERIALIZABLE")
    case .snapshot: Statement("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }
  }
}

/// A transaction under way; lives as long as the closure it was given to.
package struct Transaction: ~Copyable {
  private let connection: PostgresConnection
  private let state: TransactionState

  fileprivate init(connection: PostgresConnection, state: TransactionState) {
    self.connection = connection
    self.state = state
  }

  /// Queues a statement without waiting: all that a turn of the loop queues goes out in one round trip, BEGIN and
  /// COMMIT included. A failure that nobody waits for is thrown by the COMMIT.
  @discardableResult
  package func send(_ statement: Statement) -> Reply {
    let reply = Reply(statement, deadline: state.deadline)
    connection.enqueue(reply, in: state)
    return reply
  }

  /// Runs a statement and waits for its rows.
  package func query(_ statement: Statement) async throws(PostgresError) -> Rows {
    try await send(statement).rows()
  }
}

/// What a connection knows of a transaction.
// Confined to the connection's event loop.
final class TransactionState: @unchecked Sendable {
  /// Why the transaction cannot be committed any more; statements sent from now on fail with it.
  var failure: PostgresError?
  /// When its caller stops waiting.
  let deadline: LoopInstant?
  /// Whether BEGIN was sent.
  var hasBegun = false
  /// The part of it that is on its way.
  var inFlight: Segment?
  /// The `statement_timeout` in force.
  var timeoutMilliseconds: UInt64 = 0

  init(deadline: LoopInstant?) { self.deadline = deadline }
}

extension PostgresConnection {
  /// Runs `body` in a transaction that commits when it returns and rolls back when it throws.
  ///
  /// BEGIN goes out with the first statements of `body`, COMMIT with the last ones if those were sent and not awaited:
  /// a transaction that reads, decides and writes is two round trips. The connection must be the caller's alone.
  ///
  /// When the task is cancelled or `deadline` passes before COMMIT was sent, what runs is stopped and rolled back.
  /// - Throws: what `body` threw; otherwise the first failure of a statement or of the COMMIT, rolled back;
  ///   `.cancelled`, `.deadlineExceeded`; `.unknownOutcome` when the connection was lost before COMMIT was answered.
  package func withTransaction<Result>(
    _ isolation: IsolationLevel = .readCommitted, deadline: LoopInstant? = nil,
    _ body: (borrowing Transaction) async throws -> Result
  ) async throws -> Result {
    let state = TransactionState(deadline: deadline)
    enqueue(Reply(isolation.begin, deadline: deadline), in: state)
    do {
      let result = try await body(Transaction(connection: self, state: state))
      try await commit(state)
      return result
    } catch {
      await rollBack(state)
      throw error
    }
  }

  private func commit(_ state: TransactionState) async throws(PostgresError) {
    let commit = Reply(Statement("COMMIT"), deadline: state.deadline)
    enqueue(commit, in: state, commits: true)
    let rows = try await commit.rows()
    if let failure = state.failure { throw failure }
    // A transaction that failed answers COMMIT with ROLLBACK, without an error.
    if rows.commandTag != "COMMIT" {
      throw PostgresError(.server(.inFailedTransaction), "the transaction was rolled back instead of committed")
    }
  }

  /// Leaves the connection outside of any transaction, or closed.
  private func rollBack(_ state: TransactionState) async {
    // What of it is still queued is not sent.
    state.failure = state.failure ?? PostgresError(.closed, "the transaction is rolled back")
    if !isOpen || !state.hasBegun { return }
    let rollback = Reply(Statement("ROLLBACK"))
    enqueue(Segment(.rollback, [rollback]))
    do {
      _ = try await rollback.rowsWhateverHappens()
    } catch {
      lost(PostgresError(.connectionLost, "ROLLBACK failed"))
    }
  }
}
