internal import EventLoop

/// Those who wait for a batch, in order, and the batches that are under way: what of a ``Batcher`` does not depend on its
/// items. A generic class spends as much time on finding out what its types are as on anything else.
// Confined to its event loop.
final class BatchQueue: @unchecked Sendable {
  /// One who waits.
  // Confined to the queue's event loop.
  class Entry: @unchecked Sendable {
    let deadline: LoopInstant?
    let queuedAt: LoopInstant
    /// Whether its batch has not begun.
    var isQueued = true
    /// The batch that it is in; nil when that goes on whatever its callers do.
    fileprivate var batch: Batch?
    /// Why it got no answer; nil when it did.
    private(set) var failure: (any Error)?
    private var continuation: UnsafeContinuation<Void, Never>?

    init(deadline: LoopInstant?, queuedAt: LoopInstant) {
      self.deadline = deadline
      self.queuedAt = queuedAt
    }

    var isWaiting: Bool { continuation != nil }

    func wait(_ continuation: UnsafeContinuation<Void, Never>) { self.continuation = continuation }

    /// It has its answer, or a failure; it may have been taken back before.
    func finish(_ failure: (any Error)? = nil) {
      if !isWaiting { return }
      self.failure = failure
      continuation?.resume()
      continuation = nil
    }
  }

  /// A batch under way that ends when nobody wants it any more.
  // Confined to the queue's event loop.
  fileprivate final class Batch: @unchecked Sendable {
    var task: Task<Void, Never>?
    private var wantedCount: Int

    init(count: Int) { wantedCount = count }

    /// One of its callers has given up.
    func abandon() {
      wantedCount -= 1
      if wantedCount == 0 { task?.cancel() }
    }
  }

  /// Bounds of the wait that is proposed to those who are not taken.
  private static let retryAfterRange: ClosedRange<Duration> = .seconds(1) ... .seconds(5)

  private(set) var statistics = BatchStatistics()
  private let loop: EventLoop
  private let batchMax: Int
  private let queueMax: Int
  private let patience: Duration
  private let isAbandonable: Bool
  private let process: @Sendable ([Entry], LoopInstant?) async -> Void
  private var queue: [Entry] = []
  /// Entries of the queue that were taken back.
  private var takenBack = 0
  private let lanes: Int
  private var freeLanes: Int
  private var isScheduled = false
  private var idle: [UnsafeContinuation<Void, Never>] = []

  /// A queue whose `process` gives each entry of a batch its answer; see ``Batcher``.
  init(
    loop: EventLoop, batchMax: Int, queueMax: Int, patience: Duration, lanes: Int, isAbandonable: Bool,
    process: @escaping @Sendable (_ entries: [Entry], _ deadline: LoopInstant?) async -> Void
  ) {
    self.loop = loop
    self.batchMax = batchMax
    self.queueMax = queueMax
    self.patience = patience
    self.lanes = lanes
    self.isAbandonable = isAbandonable
    self.process = process
    freeLanes = lanes
  }

  var waiting: Int { queue.count - takenBack }

  var age: Duration { queue.first.map { loop.now - $0.queuedAt } ?? .zero }

  /// Refuses one more where enough wait.
  func admit() throws {
    loop.preconditionCurrent()
    guard waiting >= queueMax || age > patience else { return }
    statistics.refused += 1
    let retryAfter = min(max(age, Self.retryAfterRange.lowerBound), Self.retryAfterRange.upperBound)
    throw Overloaded(waiting: waiting, retryAfter: retryAfter)
  }

  /// Lets an entry wait until it has its answer.
  ///
  /// - Throws: why it gets none.
  func wait(_ entry: Entry) async throws {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        entry.wait(continuation)
        queue.append(entry)
        schedule()
      }
    } onCancel: {
      loop.execute { self.takeBack(entry) }
    }
    if let failure = entry.failure { throw failure }
  }

  func drain() async {
    if queue.isEmpty, freeLanes == lanes { return }
    await withUnsafeContinuation { idle.append($0) }
  }

  /// Takes an entry out whose caller has given up, unless it is in a batch that goes on.
  private func takeBack(_ entry: Entry) {
    guard entry.isQueued || entry.batch != nil, entry.isWaiting else { return }
    entry.finish(CancellationError())
    if let batch = entry.batch { return batch.abandon() }
    takenBack += 1
    // Not one by one: a flood of callers that give up must not cost a search of the queue each.
    if takenBack <= queue.count / 2 { return }
    queue.removeAll { !$0.isWaiting }
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
      statistics.batchBegan(batch.count, waited: batch.reduce(.zero) { max($0, began - $1.queuedAt) })
      await perform(batch)
      statistics.batchEnded(after: loop.now - began)
    }
    freeLanes += 1
    noteIdle()
  }

  private func perform(_ entries: [Entry]) async {
    let deadline = Self.deadline(of: entries)
    guard isAbandonable else { return await process(entries, deadline) }
    let batch = Batch(count: entries.count)
    for entry in entries { entry.batch = batch }
    let task = loop.startTask { await self.process(entries, deadline) }
    batch.task = task
    await task.value
    for entry in entries { entry.batch = nil }
  }

  /// Takes the next entries, without those that were taken back or whose time is up.
  private func nextBatch() -> [Entry] {
    let next = queue.prefix(batchMax)
    queue.removeFirst(next.count)
    let now = loop.now
    return next.filter { entry in
      entry.isQueued = false
      if !entry.isWaiting {
        takenBack -= 1
        return false
      }
      guard let deadline = entry.deadline, deadline <= now else { return true }
      entry.finish(BatchCameTooLate())
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
