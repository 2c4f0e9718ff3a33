package import EventLoop

/// The deadline of an item passed before its batch began; nothing was done.
package struct BatchCameTooLate: Error {
  package init() {}
}

/// Group commit: what is submitted while a batch is being processed becomes the next batch.
///
/// There is no fixed wait: a lone item is processed at the end of its loop turn, and the busier the loop, the larger the
/// batches.
// Confined to its event loop; every entry checks it.
package final class Batcher<Item: Sendable, Output: Sendable>: @unchecked Sendable {
  // Confined to the batcher's event loop.
  private final class Entry: BatchQueue.Entry, @unchecked Sendable {
    let item: Item
    var output: Output?

    init(_ item: Item, deadline: LoopInstant?, queuedAt: LoopInstant) {
      self.item = item
      super.init(deadline: deadline, queuedAt: queuedAt)
    }

    func finish(_ result: Result<Output, any Error>) {
      switch result {
      case .success(let output):
        self.output = output
        finish()
      case .failure(let error): finish(error)
      }
    }
  }

  private let loop: EventLoop
  private let queue: BatchQueue

  /// A batcher whose `process` answers each item of a batch, in order; it is told the latest of their deadlines, nil when
  /// one of them has none.
  ///
  /// - Parameters:
  ///   - batchMax: the most items of a batch.
  ///   - queueMax: the most items that wait; more are refused with ``Overloaded``.
  ///   - patience: how long the first in the queue may have waited before nobody else is taken: more would wait in vain.
  ///   - lanes: how many batches are processed at once.
  ///   - isAbandonable: whether who gives up leaves a batch that has begun, which is cancelled when all have: for batches
  ///     without an effect.
  package init(
    loop: EventLoop, batchMax: Int, queueMax: Int, patience: Duration = .seconds(1), lanes: Int = 1,
    isAbandonable: Bool = false,
    process: @escaping @Sendable (_ items: [Item], _ deadline: LoopInstant?) async -> [Result<Output, any Error>]
  ) {
    self.loop = loop
    queue = BatchQueue(
      loop: loop, batchMax: batchMax, queueMax: queueMax, patience: patience, lanes: lanes, isAbandonable: isAbandonable
    ) { entries, deadline in
      // They all come from submit().
      let entries = entries.map { unsafeDowncast($0, to: Entry.self) }
      let results = await process(entries.map { $0.item }, deadline)
      precondition(results.count == entries.count, "a batch of \(entries.count) got \(results.count) answers")
      for index in entries.indices { entries[index].finish(results[index]) }
    }
  }

  /// What became of items and batches so far.
  package var statistics: BatchStatistics { queue.statistics }

  /// Items that wait for their batch.
  package var waiting: Int { queue.waiting }

  /// How long the first in the queue has waited.
  package var age: Duration { queue.age }

  /// Processes `item` with others, unless `deadline` passes before its batch begins.
  ///
  /// Cancelling the task takes an item back that waits. One that is in a batch stays in it, its effect is kept, and its
  /// result is waited for, unless the batch can be abandoned.
  ///
  /// - Throws: ``Overloaded``, ``BatchCameTooLate``, `CancellationError`, or what `process` says of the item.
  package func submit(_ item: Item, deadline: LoopInstant? = nil) async throws -> Output {
    try queue.admit()
    let entry = Entry(item, deadline: deadline, queuedAt: loop.now)
    try await queue.wait(entry)
    return entry.output!
  }

  /// Returns when nothing is queued or in process.
  package func drain() async { await queue.drain() }

  /// The batcher as a part of the process, which ends when everything that was submitted has been processed.
  package func part(_ name: String) -> Part {
    let stopping = LoopSignal(loop: loop)
    return Part(name) {
      await stopping.wait()
      await self.drain()
    } beginGracefulShutdown: {
      stopping.signal()
    }
  }
}
