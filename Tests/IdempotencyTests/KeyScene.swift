import EventLoop
import Foundation
import Postgres
import Service
import TestSupport
import Testing

@testable import Idempotency

/// A database whose idempotency keys live by a clock that a test sets.
struct KeyScene: Sendable {
  let url: String
  let pool: PostgresPool

  var sweeper: KeySweeper { KeySweeper(loop: pool.loop, pool: pool, log: Log(service: "test", level: .error)) }

  /// Runs `body` with a database of its own, of the service `orders` or `payments`.
  static func with(
    _ service: String = "orders", _ body: @escaping @Sendable (KeyScene) async throws -> Void
  ) async throws {
    let url = try TestDatabase.make("idempotency")
    try await TestDatabase.withPool(url, service: service) { try await body(KeyScene(url: url, pool: $0)) }
  }

  /// Sets the clock that keys live by, such as `2026-03-01 23:59:59Z`, in the function as the migration made it.
  func setClock(_ time: String) async throws {
    try await run(
      """
      DO $do$ BEGIN
        EXECUTE regexp_replace(
          pg_get_functiondef('idempotency_slots(interval, interval)'::regprocedure),
          'now\\(\\)|timestamptz ''[^'']*''', 'timestamptz ''\(time)''', 'g');
      END $do$
      """)
  }

  /// Runs SQL on a connection of its own.
  func run(_ script: String) async throws {
    let connection = try await PostgresConnection.connect(
      loop: pool.loop, configuration: PostgresConfiguration(url: url))
    defer { connection.close() }
    try await connection.run(script: script)
  }

  static func request(_ key: String, method: String = "Pay", _ bytes: [UInt8] = [1]) -> IdempotentRequest {
    IdempotentRequest(IdempotencyKey(key, method: method), request: bytes)
  }

  /// Writes keys down, each answered with `response`.
  func insert(_ keys: [String], response: [UInt8] = [7]) async throws {
    try await pool.execute(KeyTable.insert(keys.map { KeyedAnswer(to: Self.request($0), response: response) }))
  }

  /// What was answered under a key; nil when it is not known.
  func response(_ key: String) async throws -> [UInt8]? {
    let request = Self.request(key)
    let found = try KeyTable.answers(try await pool.query(KeyTable.find([request.key])))
    guard case .isRepeat(let response) = found.verdict(on: request) else { return nil }
    return response
  }

  /// The slots that a key is in.
  func slots(_ key: String) async throws -> [Int16] {
    let rows = try await pool.query(Statement("SELECT slot FROM idempotency_keys WHERE key = $1 ORDER BY slot", key))
    return try rows.map { row throws(PostgresError) -> Int16 in try row.value(0) }
  }

  /// Returns once a statement waits for another transaction.
  func waitForBlockedStatement() async throws {
    let blocked = Statement(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    while try await pool.query(blocked).isEmpty { try await pool.loop.sleep(for: .milliseconds(5)) }
  }
}
