package import EventLoop

/// Reads what callers ask for one by one, in one statement for all who ask at the same time. A read that has begun before
/// somebody asked does not answer that: whoever has written something finds it. A read that nobody waits for any more is
/// cancelled.
// Confined to its event loop; every entry checks it.
package final class BatchedReads<Key: Hashable & Sendable, Value: Sendable>: @unchecked Sendable {
  /// The most keys of one statement.
  private static var batchMax: Int { 256 }
  /// The most callers that wait.
  private static var queueMax: Int { 16_384 }
  /// As long as a caller may want to wait; each has a deadline of its own.
  private static var patience: Duration { .seconds(60) }
  /// Statements under way at once: the second gathers what comes while the first is on its way.
  private static var lanes: Int { 2 }

  private let batcher: Batcher<Key, Value?>

  /// Reads by `read`, which gives back what is there of the keys that it is given, and is told the latest of the callers'
  /// deadlines.
  package init(
    loop: EventLoop, read: @escaping @Sendable (_ keys: [Key], _ deadline: LoopInstant?) async throws -> [Key: Value]
  ) {
    batcher = Batcher(
      loop: loop, batchMax: Self.batchMax, queueMax: Self.queueMax, patience: Self.patience, lanes: Self.lanes,
      isAbandonable: true
    ) { (keys, deadline) -> [Result<Value?, any Error>] in
      do {
        let found = try await read(keys, deadline)
        return keys.map { .success(found[$0]) }
      } catch {
        return keys.map { _ in .failure(error) }
      }
    }
  }

  /// What is there of `key`; nil when nothing is.
  ///
  /// - Throws: ``Overloaded``, ``BatchCameTooLate``, `CancellationError`, or what `read` throws.
  package func value(of key: Key, deadline: LoopInstant? = nil) async throws -> Value? {
    try await batcher.submit(key, deadline: deadline)
  }

  /// What became of reads and their statements.
  package var statistics: BatchStatistics { batcher.statistics }
}
