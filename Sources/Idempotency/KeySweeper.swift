package import EventLoop
package import Postgres
package import Service

/// Lets Idempotency-Keys go when they are older than a day. Any number of replicas may do so.
// Confined to its event loop; every entry checks it.
package final class KeySweeper: @unchecked Sendable {
  /// How often it is looked whether a day is over.
  private static let interval: Duration = .seconds(600)
  /// The same when it could not be swept: somebody else, such as pg_dump, holds the table for long.
  private static let intervalAfterFailure: Duration = .seconds(60)

  private let pool: PostgresPool
  private let log: Log
  private let stopping: LoopSignal
  private var isStopping = false

  /// A sweeper of the database of `pool`.
  package init(loop: EventLoop, pool: PostgresPool, log: Log) {
    self.pool = pool
    self.log = log
    stopping = LoopSignal(loop: loop)
  }

  /// The sweeping as a part of the process.
  package var part: Part {
    Part("idempotency keys", run: { await self.run() }, beginGracefulShutdown: { self.beginGracefulShutdown() })
  }

  /// Ends the sweeping.
  package func beginGracefulShutdown() {
    isStopping = true
    stopping.signal()
  }

  /// Sweeps until ``beginGracefulShutdown()``.
  package func run() async {
    while !isStopping, !Task.isCancelled {
      var pause = Self.interval
      do {
        let count = try await sweep()
        if count > 0 { log.info("idempotency keys of a day were removed") }
      } catch {
        log.warning("idempotency keys cannot be removed now", [.error: String(reflecting: error)])
        pause = Self.intervalAfterFailure
      }
      // Not all replicas at once.
      await stopping.wait(atMost: pause * Double.random(in: 0.8...1.2))
    }
  }

  /// Truncates the slot whose keys are older than a day.
  ///
  /// - Returns: how many slots were truncated: 0 when there was nothing to do, or another process does it.
  /// - Throws: also when somebody holds the slot for longer than 200 ms.
  package func sweep() async throws(PostgresError) -> Int {
    let rows = try await pool.execute(KeyTable.sweep)
    let count: Int32 = try rows.single().value(0)
    return Int(count)
  }
}
