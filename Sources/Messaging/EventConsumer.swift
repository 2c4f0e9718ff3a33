package import EventLoop
package import JetStream
internal import JSON
internal import Postgres
package import Service
package import Tracing

/// Takes the events of this process's lanes from a stream, in their order and in batches.
///
/// How far a lane is processed is written in the transaction that has the effect, so an event has its effect once, and the
/// broker is told nothing. What is lost on the way to it is asked for again by whoever waits for the answer. What can never
/// be processed goes to the stream DEAD and holds up nobody.
// Confined to its event loop; every entry checks it.
package final class EventConsumer<Event: Sendable>: @unchecked Sendable {
  /// Commits the effect of a batch and its places, and returns the answers to publish then.
  package typealias Processing = @Sendable (EventBatch<Event>) async throws -> [OutgoingEvent]

  /// The most messages of one batch.
  private let batchMax = 1_024
  /// Messages that are asked for ahead.
  private let capacity = 4_096
  /// Batches whose answers may be on their way while the next is processed.
  private let answeringMax = 4
  /// How often an event is tried that fails by itself, before it goes to the stream DEAD.
  private let triesMax = 3
  /// The wait after a failure that is not an event's; doubles.
  private let backoffRange: ClosedRange<Duration> = .milliseconds(100) ... .seconds(5)
  /// How often lanes on which nothing comes are moved on with the others, so that their past is not read again.
  private let catchUpInterval: Duration = .seconds(5)

  private let loop: EventLoop
  private let jetStream: JetStreamClient
  private let stream: String
  private let kinds: [EventKind<Event>]
  private let lanes: LaneKeeper
  private let deadLetters: DeadLetters
  private let log: Log
  private let tracer: Tracer?
  private let process: Processing
  private let answered: LoopSignal
  private let wakeUp: LoopSignal
  private var reader: OrderedConsumer?
  /// Messages that are being processed.
  private var inHand = 0
  /// What became of messages so far.
  package private(set) var statistics = ConsumerStatistics()
  private var answering = 0
  private var haveLanesChanged = false
  private var isStopping = false
  private var lastCatchUp: LoopInstant

  /// A consumer of the events of `kinds` in `stream`.
  ///
  /// - Parameter process: commits the effect of a batch; harmless to repeat.
  package init(
    loop: EventLoop, jetStream: JetStreamClient, stream: String, kinds: [EventKind<Event>], lanes: LaneKeeper, log: Log,
    tracer: Tracer? = nil, process: @escaping Processing
  ) {
    self.loop = loop
    self.jetStream = jetStream
    self.stream = stream
    self.kinds = kinds
    self.lanes = lanes
    self.log = log
    self.tracer = tracer
    self.process = process
    deadLetters = DeadLetters(jetStream: jetStream, stream: stream, log: log)
    answered = LoopSignal(loop: loop)
    wakeUp = LoopSignal(loop: loop)
    lastCatchUp = loop.now
    lanes.lanesChanged = { [unowned self] in
      haveLanesChanged = true
      wakeUp.signal()
      reader?.close()
    }
  }

  /// Consumes until ``beginGracefulShutdown()``; the batch in hand is finished first.
  package func run() async {
    await withDiscardingTaskGroup { group in
      group.addTask { await self.lanes.run() }
      while !isStopping, !Task.isCancelled { await consume(&group) }
      lanes.beginGracefulShutdown()
    }
  }

  /// The consumer as a part of the process.
  package var part: Part {
    Part(
      "consumer of \(stream)", run: { await self.run() }, beginGracefulShutdown: { self.beginGracefulShutdown() })
  }

  /// Takes no more messages.
  package func beginGracefulShutdown() {
    isStopping = true
    wakeUp.signal()
    reader?.close()
  }

  // MARK: Figures

  /// The lanes that this process has.
  package var laneCount: Int { lanes.places.count }

  /// How many messages of this process's lanes have not been processed; nil when it cannot be told just now.
  package func lag() async throws -> Int? {
    guard let reader else { return lanes.places.isEmpty ? 0 : nil }
    let pending = try await jetStream.consumerInfo(stream: stream, name: reader.name)["num_pending"]?.integer
    return pending.map { Int(clamping: $0) + reader.arrivedCount + inHand }
  }

  // MARK: Reading

  /// Reads for as long as the lanes stay the same and nothing is lost.
  private func consume(_ group: inout DiscardingTaskGroup) async {
    if lanes.places.isEmpty || !jetStream.health.isReady { return await wakeUp.wait(atMost: .milliseconds(100)) }
    haveLanesChanged = false
    do {
      let reader = try await open()
      self.reader = reader
      defer {
        reader.close()
        self.reader = nil
      }
      while !isStopping, !haveLanesChanged, !Task.isCancelled {
        await take(try await reader.next(batchMax), &group)
      }
    } catch {
      if isStopping || haveLanesChanged || Task.isCancelled { return }
      log.warning("the broker gives no messages", [.error: String(reflecting: error), .stream: stream])
      await wakeUp.wait(atMost: .milliseconds(250))
    }
  }

  /// Begins to read behind what is processed.
  private func open() async throws -> OrderedConsumer {
    let state = try await jetStream.streamState(stream)
    // A broker that lost its store, or the end of it, begins to count anew: what is processed is told by the keys then.
    for place in lanes.places.values where place.stream != state.created || place.sequence > state.lastSequence {
      lanes.advanced(to: [LanePlace(lane: place.lane, epoch: place.epoch, stream: state.created)])
    }
    let processed = lanes.places.values.lazy.map(\.sequence).min() ?? 0
    return try await jetStream.read(stream, subjects: subjects, from: UInt64(processed) + 1, capacity: capacity)
  }

  /// What to read; nothing in particular when all lanes are ours, because that costs the broker least.
  private var subjects: [String] {
    if lanes.places.count == Int(EventSubject.laneCount) { return [] }
    return kinds.flatMap { kind in lanes.places.keys.sorted().map { "\(kind.name).\($0)" } }
  }

  // MARK: Processing

  /// Processes messages: returns when each has had its effect or is in the stream DEAD, when their lanes are lost, or when
  /// the consumer ends.
  private func take(_ messages: [IncomingMessage], _ group: inout DiscardingTaskGroup) async {
    inHand = messages.count
    defer { inHand = 0 }
    var pending = PendingEvents<Event>()
    for message in messages { pending.append(message, of: kinds, unlessBehind: lanes.places, tracer: tracer) }
    for (message, reason) in pending.unprocessable {
      guard await bury(message, reason: reason) else { return }
    }
    var backoff = backoffRange.lowerBound
    while !isStopping, !Task.isCancelled {
      pending.keep(lanes.places)
      if pending.isEmpty { return }
      do {
        return try await commit(pending.batch(lanes.places, withIdle: isCatchUpDue), &group)
      } catch let error as LanesLost {
        lanes.lost(error.places)
      } catch {
        log.warning(
          "a batch could not be processed", [.count: "\(pending.events.count)", .error: String(reflecting: error)])
        if Self.mayBeAnEvents(error), await takeApart(&pending, &group) { continue }
        await wakeUp.wait(atMost: backoff)
        backoff = min(backoff * 2, backoffRange.upperBound)
      }
    }
  }

  /// Not while lanes come and go: of one that was not held all the time, messages may have been missed.
  private var isCatchUpDue: Bool { !haveLanesChanged && loop.now - lastCatchUp >= catchUpInterval }

  private func commit(_ batch: EventBatch<Event>, _ group: inout DiscardingTaskGroup) async throws {
    let isCatchingUp = isCatchUpDue
    let began = loop.now
    let answers = try await process(batch)
    statistics.processed(batch.events.count, in: loop.now - began)
    if tracer != nil { for event in batch.events { ended(event, of: batch.events.count) } }
    lanes.advanced(to: batch.places)
    if isCatchingUp { lastCatchUp = loop.now }
    if answers.isEmpty { return }
    while answering >= answeringMax { await answered.wait(atMost: .seconds(1)) }
    answering += 1
    group.addTask { await self.publish(answers) }
  }

  /// Publishes the answers to a batch. Those that are lost are asked for again.
  private func publish(_ answers: [OutgoingEvent]) async {
    let publication = EventPublication(answers, tracer: tracer)
    do {
      try await jetStream.publish(publication.messages)
      publication.ended()
      statistics.answered += answers.count
    } catch {
      publication.ended(isError: true)
      log.warning(
        "answers were not taken by the broker; they will be asked for again",
        [.count: "\(answers.count)", .error: "\(error)"])
    }
    answering -= 1
    answered.signal()
  }

  private func ended(_ event: ReceivedEvent<Event>, of count: Int, isError: Bool = false) {
    guard let tracer, let span = event.span else { return }
    tracer.end(
      span, "process \(EventSubject.name(of: event.message.subject))", .consumer, isError: isError,
      TraceSpan.Attribute.ofMessage("process", event.message.subject, id: event.message.messageID)
        + [.init(.orderID, event.message.header(EventHeader.order) ?? ""), .init(.messagingBatchCount, count)])
  }

  // MARK: Failures

  private func bury(_ message: IncomingMessage, reason: String) async -> Bool {
    let isBuried = await deadLetters.bury(message, reason: reason, until: { self.isStopping })
    if isBuried { statistics.buried += 1 }
    return isBuried
  }

  /// Whether a failure may be due to an event of the batch: the values that it has, what is stored about it, a mistake of
  /// ours; and not to the state that the database is in (PostgreSQL, appendix A).
  private static func mayBeAnEvents(_ error: any Error) -> Bool {
    guard let error = error as? PostgresError else { return !(error is LanesLost) }
    return error.isRefusalOfValues || error.sqlState?.rawValue.hasPrefix("XX") == true
  }

  /// Takes a batch that failed event by event, and puts those into the stream DEAD that fail again and again while others do
  /// not.
  ///
  /// - Returns: whether anything was dealt with.
  private func takeApart(_ pending: inout PendingEvents<Event>, _ group: inout DiscardingTaskGroup) async -> Bool {
    var hasMoved = false
    while !isStopping, !Task.isCancelled, let event = pending.events.first {
      do {
        try await processAlone(event, &group)
      } catch {
        guard Self.mayBeAnEvents(error), await isInOrder(event.lane, &group) else { return hasMoved }
        log.error("an event cannot be processed", [.stream: stream, .error: String(reflecting: error)])
        let description = (error as? PostgresError)?.description
        let reason = description ?? "processing it failed \(triesMax) times: \(type(of: error))"
        ended(event, of: 1, isError: true)
        guard await bury(event.message, reason: reason),
          (try? await commit(EventBatch([], places: places(at: event)), &group)) != nil
        else { return hasMoved }
      }
      pending.events.removeFirst()
      hasMoved = true
    }
    return hasMoved
  }

  private func processAlone(_ event: ReceivedEvent<Event>, _ group: inout DiscardingTaskGroup) async throws {
    var tries = 1
    while true {
      do {
        return try await commit(EventBatch([event], places: places(at: event)), &group)
      } catch  where tries < triesMax && Self.mayBeAnEvents(error) {
        tries += 1
      }
    }
  }

  /// The place of an event's lane once it is dealt with.
  private func places(at event: ReceivedEvent<Event>) -> [LanePlace] {
    guard var place = lanes.places[event.lane] else { return [] }
    place.sequence = event.sequence
    return [place]
  }

  /// Whether a batch without events, which changes nothing, goes through.
  private func isInOrder(_ lane: Int16, _ group: inout DiscardingTaskGroup) async -> Bool {
    guard let place = lanes.places[lane] else { return false }
    return (try? await commit(EventBatch([], places: [place]), &group)) != nil
  }
}
