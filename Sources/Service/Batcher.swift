package import EventLoop

/// Something took no more work because enough waits already, or waits for too long.
package protocol OverloadError: Error {
  /// How many items wait.
  var waiting: Int { get }
  /// When it may be worth to come again.
  var retryAfter: Duration { get }
}

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
  /// The queue is full, or does not move; nothing was done.
  package struct Overloaded: OverloadError {
    package let waiting: Int
    package let retryAfter: Duration
  }

  /// Bounds of the wait that is proposed to those who are not taken.
  private static var retryAfterRange: ClosedRange<Duration> { .seconds(1) ... .seconds(5) }

  // Confined to the batcher's event loop.
  private final class Entry: @unchecked Sendable {
    let item: Item
    let deadline: LoopInstant?
    let queuedAt: LoopInstant
    var continuation: UnsafeContinuation<Result<Output, any Error>, Never>?
    /// Whether its batch has not begun.
    var isQueued = true

    init(_ item: Item, deadline: LoopInstant?, queuedAt: LoopInstant) {
      self.item = item
      self.deadline = deadline
      self.queuedAt = queuedAt
    }

    func finish(_ result: Result<Output, any Error>) {
      continuation?.resume(returning: result)
      continuation = nil
    }
  }

  /// What became of items and batches so far.
  package private(set) var statistics = BatchStatistics()
  private let loop: EventLoop
  private let batchMax: Int
  private let queueMax: Int
  private let patience: Duration
  private let process: @Sendable ([Item], LoopInstant?) async -> [Result<Output, any Error>]
  private var queue: [Entry] = []
  /// Entries of the queue that were taken back.
  private var takenBack = 0
  private var freeLanes: Int
  private var isScheduled = false
  private var idle: [UnsafeContinuation<Void, Never>] = []
  private let lanes: Int

  /// A batcher whose `process` answers each item of a batch, in order; it is told the latest of their deadlines, nil when
  /// one of them has none.
  ///
  /// - Parameters:
  ///   - batchMax: the most items of a batch.
  ///   - queueMax: the most items that wait; more are refused with ``Overloaded``.
  ///   - patience: how long the first in the queue may have waited before nobody else is taken: more would wait in vain.
  ///   - lanes: how many batches are processed at once.
  package init(
    loop: EventLoop, batchMax: Int, queueMax: Int, patience: Duration = .seconds(1), lanes: Int = 1,
    process: @escaping @Sendable (_ items: [Item], _ deadline: LoopInstant?) async -> [Result<Output, any Error>]
  ) {
    self.loop = loop
    self.batchMax = batchMax
    self.queueMax = queueMax
    self.patience = patience
    self.lanes = lanes
    self.process = process
    freeLanes = lanes
  }

  /// Items that wait for their batch.
  package var waiting: Int { queue.count - takenBack }

  /// How long the first in the queue has waited.
  package var age: Duration { queue.first.map { loop.now - $0.queuedAt } ?? .zero }

  /// Processes `item` with others, unless `deadline` passes before its batch begins.
  ///
  /// Cancelling the task takes an item back that waits. One that is in a batch stays in it, its effect is kept, and its
  /// result is waited for.
  ///
  /// - Throws: ``Overloaded``, ``BatchCameTooLate``, `CancellationError`, or what `process` says of the item.
  package func submit(_ item: Item, deadline: LoopInstant? = nil) async throws -> Output {
    loop.preconditionCurrent()
    if waiting >= queueMax || age > patience {
      statistics.refused += 1
      let retryAfter = min(max(age, Self.retryAfterRange.lowerBound), Self.retryAfterRange.upperBound)
      throw Overloaded(waiting: waiting, retryAfter: retryAfter)
    }
    let entry = Entry(item, deadline: deadline, queuedAt: loop.now)
    let result = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        entry.continuation = continuation
        queue.append(entry)
        schedule()
      }
    } onCancel: {
      loop.execute { self.takeBack(entry) }
    }
    return try result.get()
  }

  /// Returns when nothing is queued or in process.
  package func drain() async {
    if queue.isEmpty, freeLanes == lanes { return }
    await withUnsafeContinuation { idle.append($0) }
  }

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

  /// Takes an item out whose caller has given up, unless its batch has begun.
  private func takeBack(_ entry: Entry) {
    guard entry.isQueued, entry.continuation != nil else { return }
    entry.finish(.failure(CancellationError()))
    takenBack += 1
    // Not one by one: a flood of callers that give up must not cost a search of the queue each.
    if takenBack <= queue.count / 2 { return }
    queue.removeAll { $0.continuation == nil }
    takenBack = 0
    noteIdle()
  }

  private func schedule() {
    if isScheduled || freeLanes == 0 { return }
    isScheduled = true
    loop.atEndOfTurn {
      self.isScheduled = false
      self.startBatches()
    }
  }

  private func startBatches() {
    while freeLanes > 0, !queue.isEmpty {
      freeLanes -= 1
      loop.startTask { await self.runLane() }
    }
  }

  /// Processes one batch after the other until nothing waits.
  private func runLane() async {
    while !queue.isEmpty {
      let batch = nextBatch()
      if batch.isEmpty { continue }
      let began = loop.now
      statistics.batchBegan(batch.count, waited: batch.map { began - $0.queuedAt }.max() ?? .zero)
      let results = await process(batch.map(\.item), Self.deadline(of: batch))
      statistics.batchEnded(after: loop.now - began)
      precondition(results.count == batch.count, "a batch of \(batch.count) got \(results.count) answers")
      for (entry, result) in zip(batch, results) { entry.finish(result) }
    }
    freeLanes += 1
    noteIdle()
  }

  /// Takes the next items, without those that were taken back or whose time is up.
  private func nextBatch() -> [Entry] {
    let next = queue.prefix(batchMax)
    queue.removeFirst(next.count)
    let now = loop.now
    return next.filter { entry in
      entry.isQueued = false
      if entry.continuation == nil {
        takenBack -= 1
        return false
      }
      guard let deadline = entry.deadline, deadline <= now else { return true }
      entry.finish(.failure(BatchCameTooLate()))
      return false
    }
  }

  private static func deadline(of batch: [Entry]) -> LoopInstant? {
    var latest = LoopInstant(nanoseconds: 0)
    for entry in batch {
      guard let deadline = entry.deadline else { return nil }
      latest = max(latest, deadline)
    }
    return latest
  }

  private func noteIdle() {
    guard queue.isEmpty, freeLanes == lanes else { return }
    for continuation in idle { continuation.resume() }
    idle = []
  }
}
