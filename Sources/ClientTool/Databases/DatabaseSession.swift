internal import EventLoop
internal import Postgres
internal import RPC

/// One of the system's databases.
enum DatabaseName: String, Sendable { case orders, payments }

/// A session with one of the system's databases, for looking at it: it can write nothing.
struct DatabaseSession: Sendable {
  private let connection: PostgresConnection

  /// Runs `body` with a session, and ends it when that returns.
  ///
  /// - Parameter timeout: how long a statement may take.
  /// - Throws: ``RPCError`` UNAVAILABLE when the database cannot be reached; also what `body` throws.
  static func with<Result: Sendable>(
    _ name: DatabaseName, url: String, timeout: Duration, on loop: EventLoop,
    _ body: (DatabaseSession) async throws -> Result
  ) async throws -> Result {
    var configuration = PostgresConfiguration(url: url)
    configuration.applicationName = "gozon-tool"
    configuration.statementMax = timeout
    let connection: PostgresConnection
    do throws(PostgresError) {
      connection = try await PostgresConnection.connect(loop: loop, configuration: configuration)
    } catch {
      throw RPCError(
        .unavailable,
        "cannot reach the database of \(name): \(error.message); is the system up? run tools/up, or set "
          + "--database-url-\(name)")
    }
    defer { connection.close() }
    _ = try await connection.query(Self.settings)
    return try await body(DatabaseSession(connection: connection))
  }

  /// The rows of a statement that changes nothing.
  func query(_ statement: Statement) async throws(PostgresError) -> Rows { try await connection.query(statement) }

  /// What suits statements that read whole tables, each once or a few times: they are planned for their parameters and may
  /// use memory, but are not worth compiling; and they end when whoever asked has gone.
  private static var settings: Statement {
    Statement(
      """
      SELECT set_config('default_transaction_read_only', 'on', false), set_config('TimeZone', 'UTC', false),
        set_config('plan_cache_mode', 'force_custom_plan', false), set_config('work_mem', '64MB', false),
        set_config('jit', 'off', false), set_config('client_connection_check_interval', '1s', false)
      """)
  }
}

extension Arguments {
  /// The connection string of a database, when one was given.
  func databaseURL(_ name: DatabaseName) -> String? { text("database-url-\(name)") }
}
