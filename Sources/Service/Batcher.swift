package import EventLoop

/// Something took no more work because enough waits already.
package protocol OverloadError: Error {
  /// How many items wait.
  var waiting: Int { get }
}

/// Group commit: what is submitted while a batch is being processed becomes the next batch.
///
/// There is no fixed wait: a lone item is processed at the end of its loop turn, and the busier the loop, the larger the
/// batches.
// Confined to its event loop; every entry checks it.
package final class Batcher<Item: Sendable, Output: Sendable>: @unchecked Sendable {
  /// The queue is full; nothing was done.
  package struct Overloaded: OverloadError {
    package let waiting: Int
  }

  private struct Entry {
    let item: Item
    let continuation: UnsafeContinuation<Result<Output, any Error>, Never>
  }

  private let loop: EventLoop
  private let batchMax: Int
  private let queueMax: Int
  private let process: @Sendable ([Item]) async -> [Result<Output, any Error>]
  private var queue: [Entry] = []
  private var freeLanes: Int
  private var isScheduled = false
  private var idle: [UnsafeContinuation<Void, Never>] = []
  private let lanes: Int

  /// A batcher whose `process` answers each item of a batch, in order.
  ///
  /// - Parameters:
  ///   - batchMax: the most items of a batch.
  ///   - queueMax: the most items that wait; more are refused with ``Overloaded``.
  ///   - lanes: how many batches are processed at once.
  package init(
    loop: EventLoop, batchMax: Int, queueMax: Int, lanes: Int = 1,
    process: @escaping @Sendable ([Item]) async -> [Result<Output, any Error>]
  ) {
    self.loop = loop
    self.batchMax = batchMax
    self.queueMax = queueMax
    self.lanes = lanes
    self.process = process
    freeLanes = lanes
  }

  /// Items that wait for their batch.
  package var waiting: Int { queue.count }

  /// Processes `item` with others.
  ///
  /// Cancellation does not take an item back: it is in a batch or about to be, and its effect is kept.
  ///
  /// - Throws: ``Overloaded``, or what `process` says of the item.
  package func submit(_ item: Item) async throws -> Output {
    loop.preconditionCurrent()
    guard queue.count < queueMax else { throw Overloaded(waiting: queue.count) }
    let result = await withUnsafeContinuation { continuation in
      queue.append(Entry(item: item, continuation: continuation))
      schedule()
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
      let batch = Array(queue.prefix(batchMax))
      queue.removeFirst(batch.count)
      let results = await process(batch.map(\.item))
      precondition(results.count == batch.count, "a batch of \(batch.count) got \(results.count) answers")
      for (entry, result) in zip(batch, results) { entry.continuation.resume(returning: result) }
    }
    freeLanes += 1
    if queue.isEmpty, freeLanes == lanes {
      for continuation in idle { continuation.resume() }
      idle = []
    }
  }
}
