package import EventLoop
package import JetStream
internal import Postgres
package import Service

/// Brings events from the outbox to the broker.
///
/// A commit hands its events over in memory, and they are published at once. The table is read only for what had no
/// result in time: events of a process that crashed, or that the broker or a consumer lost. So several relays need no
/// leader, and the broker may lose its whole store.
// Confined to its event loop; every entry checks it.
package final class Relay: @unchecked Sendable {
  /// The most events of one publication.
  private static let batchMax = 1_024
  /// The most events in memory; what is beyond waits in the table.
  private static let queueMax = 65_536
  /// How often the table is looked at.
  private static let sweepInterval: Duration = .seconds(1)

  private let loop: EventLoop
  private let outbox: Outbox
  private let jetStream: JetStreamClient
  private let log: Log
  private let wakeUp: LoopSignal
  private let stopping: LoopSignal
  private var queue: [OutgoingEvent] = []
  private var isStopping = false

  /// A relay from `outbox` to the broker.
  package init(loop: EventLoop, outbox: Outbox, jetStream: JetStreamClient, log: Log) {
    self.loop = loop
    self.outbox = outbox
    self.jetStream = jetStream
    self.log = log
    wakeUp = LoopSignal(loop: loop)
    stopping = LoopSignal(loop: loop)
  }

  /// Publishes events that were committed just now, soon.
  package func publish(_ events: some Sequence<OutgoingEvent>) {
    loop.preconditionCurrent()
    queue.append(contentsOf: events)
    if queue.count > Self.queueMax { queue.removeLast(queue.count - Self.queueMax) }
    if !queue.isEmpty { wakeUp.signal() }
  }

  /// Relays until ``beginGracefulShutdown()``; what is in memory then is published first.
  package func run() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.publishWhatComes() }
      group.addTask { await self.sweep() }
    }
  }

  /// The relay as a part of the process.
  package var part: Part {
    Part("relay", run: { await self.run() }, beginGracefulShutdown: { self.beginGracefulShutdown() })
  }

  /// Ends the relaying when what is in memory has been published.
  package func beginGracefulShutdown() {
    isStopping = true
    wakeUp.signal()
    stopping.signal()
  }

  private func publishWhatComes() async {
    while !Task.isCancelled {
      if queue.isEmpty {
        if isStopping { return }
        await wakeUp.wait(atMost: .seconds(60))
        continue
      }
      let batch = Array(queue.prefix(Self.batchMax))
      queue.removeFirst(batch.count)
      await publish(batch)
    }
  }

  /// Publishes a batch; what fails stays in the table and is sent again when it falls due.
  private func publish(_ batch: [OutgoingEvent]) async {
    let results = await jetStream.publishBatch(batch.map(\.message))
    var failures = 0
    var lastError: (any Error)?
    for case .failure(let error) in results {
      failures += 1
      lastError = error
    }
    if let lastError {
      log.warning(
        "events were not taken by the broker; they will be sent again",
        [.count: "\(failures)", .error: "\(lastError)"])
    }
  }

  private func sweep() async {
    while !isStopping, !Task.isCancelled {
      await stopping.wait(atMost: Self.sweepInterval * Double.random(in: 0.8...1.2))
      while !isStopping, jetStream.health.isReady, await sweepOnce() == Self.batchMax {}
    }
  }

  /// - Returns: how many events were sent again.
  private func sweepOnce() async -> Int {
    do {
      let due = try await outbox.takeDue(countMax: Self.batchMax)
      if due.isEmpty { return 0 }
      log.info("sending events again that have had no result", [.count: "\(due.count)"])
      await publish(due)
      return due.count
    } catch {
      log.warning("the outbox cannot be read", [.error: String(reflecting: error)])
      return 0
    }
  }
}
