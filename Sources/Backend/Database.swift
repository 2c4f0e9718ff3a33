package import EventLoop
package import Messaging
package import Postgres
package import Service

/// A service's database: brought up to date first, then kept connected.
// Confined to its event loop; every entry checks it.
package final class Database: @unchecked Sendable {
  /// The connections; they work once the migrations are applied.
  package let pool: PostgresPool
  private let loop: EventLoop
  private let log: Log
  private let configuration: PostgresConfiguration
  private let migrations: Migrations
  private var problem: String? = "the schema is not applied yet"
  private var isStopping = false
  private let stopping: LoopSignal
  private var migrating: Task<Void, any Error>?

  /// The database at `url`, with the migrations of `directory`.
  ///
  /// - Throws: `PostgresError` when the files are not in order.
  package init(loop: EventLoop, log: Log, url: String, name: String, connections: Int, directory: String) throws {
    self.loop = loop
    self.log = log
    var configuration = PostgresConfiguration(url: url)
    configuration.applicationName = name
    configuration.connectionCount = connections
    configuration.waitingMax = 16_384
    configuration.plansByIndex = true
    self.configuration = configuration
    migrations = try Migrations(directory: directory)
    pool = PostgresPool(loop: loop, configuration: configuration)
    stopping = LoopSignal(loop: loop)
  }

  /// A keeper of lanes in this database.
  package func lanes(log: Log) -> LaneKeeper {
    LaneKeeper(loop: loop, configuration: configuration, log: log, isMigrated: { self.problem == nil })
  }

  /// Whether the database can be used.
  package var readiness: Readiness {
    if let problem { return Readiness("postgres", problem: problem) }
    let health = pool.health
    if health.connected > 0 { return Readiness("postgres", problem: nil) }
    return Readiness("postgres", problem: health.lastError ?? "not connected yet")
  }

  /// The database as a part of the process.
  package var part: Part {
    Part(
      "postgres", run: { try await self.run() },
      beginGracefulShutdown: {
        self.isStopping = true
        self.stopping.signal()
        self.migrating?.cancel()
        self.pool.beginClosing()
      })
  }

  private func run() async throws {
    let migrating = Task(executorPreference: loop.taskExecutor) { try await self.migrate() }
    self.migrating = migrating
    try await withTaskCancellationHandler {
      try await migrating.value
    } onCancel: {
      migrating.cancel()
    }
    if !isStopping { await pool.run() }
  }

  /// Applies the migrations; waits for a database that does not answer, and gives up on one that contradicts the files.
  private func migrate() async throws {
    var backoff: Duration = .milliseconds(100)
    while !isStopping {
      do {
        for file in try await migrations.apply(loop: loop, configuration: configuration) {
          log.info("migration applied", [.path: file])
        }
        problem = nil
        return
      } catch let error as PostgresError {
        problem = String(reflecting: error)
        if error.code == .migration { throw error }
        if Task.isCancelled { return }
        log.warning("waiting for the database", [.error: String(reflecting: error)])
      }
      await stopping.wait(atMost: backoff)
      backoff = min(backoff * 2, .seconds(2))
    }
  }
}
