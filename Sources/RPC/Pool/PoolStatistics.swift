/// What a pool has done since it was made.
package struct PoolStatistics: Sendable, Equatable {
  /// Calls that began, each counted once.
  package internal(set) var calls: UInt64 = 0
  /// Attempts after the first one of a call.
  package internal(set) var retries: UInt64 = 0
  /// Attempts beside the first one of a call.
  package internal(set) var hedges: UInt64 = 0
  /// Calls that were made elsewhere because the server that they were sent to never saw them.
  package internal(set) var moves: UInt64 = 0
  /// Calls that waited for a connection.
  package internal(set) var queued: UInt64 = 0
  /// How long those have waited in all.
  package internal(set) var queueTime: Duration = .zero
  /// The tokens that are left for repeats.
  package internal(set) var budgetTokens: Double = 0

  /// Nothing yet.
  package init() {}

  /// What two pools have done together; the tokens are those of the pool that has fewer left.
  package func adding(_ other: PoolStatistics) -> PoolStatistics {
    var sum = self
    sum.calls += other.calls
    sum.retries += other.retries
    sum.hedges += other.hedges
    sum.moves += other.moves
    sum.queued += other.queued
    sum.queueTime += other.queueTime
    sum.budgetTokens = min(budgetTokens, other.budgetTokens)
    return sum
  }
}
