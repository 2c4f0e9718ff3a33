package import API
package import EventLoop
internal import Messaging
internal import Postgres
package import Service

/// Puts money on accounts in batches: group commit.
// Confined to its event loop; every entry checks it.
package final class DepositBatches: @unchecked Sendable {
  /// The most deposits of one transaction.
  private static let batchMax = 512
  /// The most deposits that wait for their transaction.
  private static let queueMax = 16_384

  private let batcher: Batcher<NewDeposit, IdempotentOutcome<Deposit>>

  /// Deposits into `store`.
  package init(loop: EventLoop, store: PaymentStore) {
    batcher = Batcher(loop: loop, batchMax: Self.batchMax, queueMax: Self.queueMax) { deposits, deadline in
      await Self.process(deposits, deadline, store, loop)
    }
  }

  /// Makes `deposit`, with others that come at the same time, unless `deadline` passes before its turn comes.
  ///
  /// - Throws: `Overloaded`, `BatchCameTooLate`, `CancellationError`, or `PostgresError`.
  package func deposit(
    _ deposit: NewDeposit, deadline: LoopInstant? = nil
  ) async throws -> IdempotentOutcome<Deposit> {
    try await batcher.submit(deposit, deadline: deadline)
  }

  /// Deposits that wait for their transaction.
  package var waiting: Int { batcher.waiting }

  /// What became of deposits and their transactions.
  package var statistics: BatchStatistics { batcher.statistics }

  /// The batches as a part of the process, which ends when no deposit is on its way into the store.
  package var part: Part { batcher.part("deposits") }

  private static func process(
    _ deposits: [NewDeposit], _ deadline: LoopInstant?, _ store: PaymentStore, _ loop: EventLoop
  ) async -> [Result<IdempotentOutcome<Deposit>, any Error>] {
    do {
      let outcomes = try await repeatingHarmlessly(on: loop, isSafeWhenUnknown: false) {
        try await store.deposit(deposits, deadline: deadline)
      }
      return outcomes.map { .success($0) }
    } catch let error as PostgresError where error.concernsOne && deposits.count > 1 {
      // One bad deposit, or a key that others take again and again, must not fail its neighbours.
      var results: [Result<IdempotentOutcome<Deposit>, any Error>] = []
      for deposit in deposits { results += await process([deposit], deadline, store, loop) }
      return results
    } catch {
      return deposits.map { _ in .failure(error) }
    }
  }
}
