package import EventLoop
package import JetStream
internal import Postgres
package import Service
package import Wire

/// Takes events of one type from the broker in batches, and acknowledges what was processed.
///
/// A message is acknowledged when its effect is committed *and* the broker has taken the answer to it. Until then it
/// comes again, to this consumer or another; processing must make repeats harmless. What can never be processed goes to
/// the stream DEAD and holds up nobody.
// Confined to its event loop; every entry checks it.
package final class EventConsumer<Event: Message>: @unchecked Sendable {
  /// Processes a batch, and returns the answers to publish before it is acknowledged: one for each event, or none.
  package typealias Processing = @Sendable ([ReceivedEvent<Event>]) async throws -> [OutgoingEvent]

  /// The most messages of one batch.
  private let batchMax = 1_024
  /// Batches whose answers may be on their way while the next is processed.
  private let answeringMax = 4
  /// The most bytes of a message that the stream DEAD gets: with the reason, it must fit what a broker takes (1 MiB).
  private let letterBytesMax = 512 * 1_024
  /// The wait after a failure; doubles up to the second.
  private let backoffRange: ClosedRange<Duration> = .milliseconds(100) ... .seconds(5)

  private let loop: EventLoop
  private let jetStream: JetStreamClient
  private let consumer: PullConsumer
  private let log: Log
  private let refusal: @Sendable (Event) -> String?
  private let process: Processing
  private let answered: LoopSignal
  private let stopping: LoopSignal
  private var answering = 0
  private var isStopping = false

  /// A consumer of the messages that `consumer` describes.
  ///
  /// - Parameters:
  ///   - refusal: why an event can never be processed; nil when it can.
  ///   - process: commits the effect of a batch.
  package init(
    loop: EventLoop, jetStream: JetStreamClient, consumer: ConsumerConfiguration, log: Log,
    refusal: @escaping @Sendable (Event) -> String? = { _ in nil }, process: @escaping Processing
  ) {
    self.loop = loop
    self.jetStream = jetStream
    self.consumer = jetStream.consumer(stream: consumer.stream, name: consumer.name, capacity: 4_096)
    self.log = log
    self.refusal = refusal
    self.process = process
    answered = LoopSignal(loop: loop)
    stopping = LoopSignal(loop: loop)
  }

  /// Consumes until ``beginGracefulShutdown()``; the batch in hand is finished first, and what is on its way goes back to
  /// the broker.
  package func run() async throws {
    try await consume()
    if isStopping { await consumer.untilClosed() }
  }

  private func consume() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      var backoff = backoffRange.lowerBound
      while !isStopping, !Task.isCancelled {
        let messages: [IncomingMessage]
        do {
          messages = try await consumer.next(batchMax)
        } catch {
          if isStopping || Task.isCancelled { break }
          log.warning("the broker gives no messages", [.error: "\(error)", .stream: consumer.stream])
          await stopping.wait(atMost: .seconds(1))
          continue
        }
        let (events, poison) = sorted(messages)
        if !poison.isEmpty {
          await untilOneMayAnswer()
          group.addTask { await self.answering { await self.bury(poison) } }
        }
        if events.isEmpty { continue }
        do {
          let answers = try await process(events)
          backoff = backoffRange.lowerBound
          await untilOneMayAnswer()
          group.addTask { await self.answering { await self.answer(events, answers) } }
        } catch {
          await processingFailed(events, error, backoff)
          await stopping.wait(atMost: backoff)
          backoff = min(backoff * 2, backoffRange.upperBound)
        }
      }
    }
  }

  /// The consumer as a part of the process.
  package var part: Part {
    Part(
      "consumer of \(consumer.stream)", run: { try await self.run() },
      beginGracefulShutdown: { self.beginGracefulShutdown() })
  }

  /// Takes no more messages.
  package func beginGracefulShutdown() {
    isStopping = true
    stopping.signal()
    consumer.close()
  }

  // MARK: Answers

  private func untilOneMayAnswer() async {
    while answering >= answeringMax { await answered.wait(atMost: .seconds(1)) }
    answering += 1
  }

  private func answering(_ body: () async -> Void) async {
    await body()
    answering -= 1
    answered.signal()
  }

  /// Publishes the answers of a batch, then acknowledges what they answer.
  private func answer(_ events: [ReceivedEvent<Event>], _ answers: [OutgoingEvent]) async {
    if answers.isEmpty {
      for event in events { event.message.ack() }
      return
    }
    precondition(answers.count == events.count, "\(answers.count) answers to \(events.count) events")
    let results = await jetStream.publishBatch(answers.map(\.message))
    var failures = 0
    for (event, result) in zip(events, results) {
      switch result {
      case .success: event.message.ack()
      case .failure:
        failures += 1
        event.message.nak(delay: .seconds(1))
      }
    }
    if failures > 0 {
      log.warning(
        "answers were not taken by the broker; what they answer will come again", [.count: "\(failures)"])
    }
  }

  // MARK: Failures

  /// Gives a batch back, to come again after `delay`. When the database refused its values, they are found by taking the
  /// events one by one.
  private func processingFailed(_ events: [ReceivedEvent<Event>], _ error: any Error, _ delay: Duration) async {
    log.warning(
      "a batch could not be processed", [.count: "\(events.count)", .error: String(reflecting: error)])
    var rest = events[...]
    if let error = error as? PostgresError, error.isRefusalOfValues {
      while let event = rest.first, await processAlone(event) { rest.removeFirst() }
    }
    for event in rest { event.message.nak(delay: delay) }
  }

  /// - Returns: whether the event was dealt with, and the next may be tried.
  private func processAlone(_ event: ReceivedEvent<Event>) async -> Bool {
    do {
      await answer([event], try await process([event]))
      return true
    } catch let error as PostgresError where error.isRefusalOfValues {
      log.error("the database refuses a message's values", [.error: String(reflecting: error)])
      await bury([(event.message, error.description)])
      return true
    } catch {
      return false
    }
  }

  // MARK: Poison

  /// A message that can never be processed, and why.
  private typealias Poison = (message: IncomingMessage, reason: String)

  /// Tells the events that can be processed from the messages that never can.
  private func sorted(_ messages: [IncomingMessage]) -> (events: [ReceivedEvent<Event>], poison: [Poison]) {
    var events: [ReceivedEvent<Event>] = []
    var poison: [Poison] = []
    events.reserveCapacity(messages.count)
    for message in messages {
      do throws(DecodingError) {
        let event = try Self.event(in: message)
        if let reason = refusal(event) {
          poison.append((message, reason))
        } else {
          events.append(ReceivedEvent(event: event, message: message))
        }
      } catch {
        poison.append((message, "not a \(Event.fullName): \(error)"))
      }
    }
    return (events, poison)
  }

  private static func event(in message: IncomingMessage) throws(DecodingError) -> Event {
    let result: Result<Event, DecodingError> = message.withPayload { payload in
      Result { () throws(DecodingError) in try Event(decoding: payload.bytes) }
    }
    return try result.get()
  }

  /// Puts messages that can never be processed into the stream DEAD, with the reason, and takes them off their own.
  private func bury(_ poison: [Poison]) async {
    for (message, reason) in poison {
      log.error(
        "a message cannot be processed and goes to the stream DEAD",
        [.stream: consumer.stream, .sequence: "\(message.delivery.streamSequence)", .reason: reason])
    }
    let results = await jetStream.publishBatch(poison.map { letter($0.message, reason: $0.reason) })
    for ((message, reason), result) in zip(poison, results) {
      switch result {
      case .success: message.term(reason)
      case .failure(let error):
        log.warning("the stream DEAD did not take a message, which will come again", [.error: "\(error)"])
        message.nak(delay: .seconds(5))
      }
    }
  }

  /// The message as it goes to the stream DEAD: with its headers, but for those that tell a broker what to do.
  private func letter(_ message: IncomingMessage, reason: String) -> OutgoingMessage {
    let sequence = message.delivery.streamSequence
    var headers: MessageHeaders = [
      "Gozon-Reason": reason, "Gozon-Stream": consumer.stream, "Gozon-Sequence": "\(sequence)",
    ]
    for (name, value) in message.headers.entries
    where !name.hasPrefix("Nats-") && headers[name] == nil && MessageHeaders.isSendable(name, value) {
      headers.append(name, value)
    }
    let payload = message.payload
    if payload.count > letterBytesMax { headers.append("Gozon-Size", "\(payload.count)") }
    return OutgoingMessage(
      subject: "dead.\(message.subject)", messageID: "\(consumer.stream).\(sequence)", headers: headers,
      payload: Array(payload.prefix(letterBytesMax)))
  }
}
