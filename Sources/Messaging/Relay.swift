package import EventLoop
package import JetStream
package import Service
package import Tracing

/// Brings events from the outbox to the broker.
///
/// A commit hands its events over in memory, and they are published at once. The outbox is read only for what had no
/// result in time: events of a process that crashed, or that the broker or a consumer lost. So several relays need no
/// leader, and the broker may lose its whole store.
// Confined to its event loop; every entry checks it.
package final class Relay: @unchecked Sendable {
  /// Takes up to so many events out of the outbox that are due to be sent again, and puts off their next time.
  package typealias Due = @Sendable (_ countMax: Int) async throws -> [OutgoingEvent]

  /// The most events of one publication.
  private static let batchMax = 1_024
  /// Publications that may be on their way at once.
  private static let publishingMax = 8
  /// The most events in memory; what is beyond waits in the outbox.
  private static let queueMax = 65_536
  /// How often the outbox is looked at.
  private static let sweepInterval: Duration = .seconds(1)

  /// What became of events.
  package struct Statistics: Sendable, Equatable {
    /// Events that the broker has taken.
    package internal(set) var published = 0
    /// Events that it has not taken; they stay in the outbox.
    package internal(set) var failed = 0
    /// Of those, published or not, the ones that were sent again because they had no result.
    package internal(set) var resent = 0
    /// Events that did not fit into the memory; they stay in the outbox.
    package internal(set) var overflowed = 0
  }

  /// What became of events so far.
  package private(set) var statistics = Statistics()
  private let loop: EventLoop
  private let jetStream: JetStreamClient
  private let log: Log
  private let tracer: Tracer?
  private let due: Due
  private let wakeUp: LoopSignal
  private let stopping: LoopSignal
  private var queue: [OutgoingEvent] = []
  private var publishing = 0
  private var isRefused = false
  private var isStopping = false

  /// A relay to the broker, of what is handed over and of what is `due`.
  package init(
    loop: EventLoop, jetStream: JetStreamClient, log: Log, tracer: Tracer? = nil, due: @escaping Due
  ) {
    self.loop = loop
    self.jetStream = jetStream
    self.log = log
    self.tracer = tracer
    self.due = due
    wakeUp = LoopSignal(loop: loop)
    stopping = LoopSignal(loop: loop)
  }

  /// Publishes events that were committed just now, soon.
  package func publish(_ events: [OutgoingEvent]) {
    loop.preconditionCurrent()
    queue += events
    let excess = queue.count - Self.queueMax
    if excess > 0 {
      queue.removeLast(excess)
      statistics.overflowed += excess
    }
    if !queue.isEmpty { wakeUp.signal() }
  }

  /// Events in memory that wait to be published.
  package var waiting: Int { queue.count }

  /// Relays until ``beginGracefulShutdown()``; what is in memory then is published first.
  package func run() async {
    await withTaskGroup { group in
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
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        if queue.isEmpty || publishing >= Self.publishingMax {
          if isStopping, queue.isEmpty { return }
          await wakeUp.wait(atMost: .seconds(60))
          continue
        }
        let batch = Array(queue.prefix(Self.batchMax))
        queue.removeFirst(batch.count)
        publishing += 1
        group.addTask {
          await self.publish(batch)
          self.publishing -= 1
          if self.publishing == Self.publishingMax - 1 { self.wakeUp.signal() }
        }
      }
    }
  }

  /// Publishes a batch; what fails stays in the outbox and is sent again when it falls due.
  private func publish(_ batch: [OutgoingEvent]) async {
    let publication = EventPublication(batch, tracer: tracer)
    do {
      try await jetStream.publish(publication.messages)
      publication.ended()
      statistics.published += batch.count
      if isRefused { log.info("the broker takes events again") }
      isRefused = false
    } catch {
      publication.ended(isError: true)
      statistics.failed += batch.count
      // Once, and not for every batch while a broker is away.
      if !isRefused {
        log.warning(
          "events were not taken by the broker; they will be sent again",
          [.count: "\(batch.count)", .error: "\(error)"])
      }
      isRefused = true
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
      let due = try await due(Self.batchMax)
      if due.isEmpty { return 0 }
      log.info("sending events again that have had no result", [.count: "\(due.count)"])
      statistics.resent += due.count
      await publish(due)
      return due.count
    } catch {
      log.warning("the outbox cannot be read", [.error: String(reflecting: error)])
      return 0
    }
  }
}
