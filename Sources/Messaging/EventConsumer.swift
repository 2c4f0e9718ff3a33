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
  /// The wait after a failure; doubles up to the second.
  private let backoffRange: ClosedRange<Duration> = .milliseconds(100) ... .seconds(5)

  private let loop: EventLoop
  private let jetStream: JetStreamClient
  private let consumer: PullConsumer
  private let log: Log
  private let refusal: @Sendable (Event) -> String?
  private let process: Processing
  private let answered: LoopSignal
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
  }

  /// Consumes until ``beginGracefulShutdown()``; the batch in hand is finished first.
  package func run() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      var backoff = backoffRange.lowerBound
      while !isStopping, !Task.isCancelled {
        let messages: [IncomingMessage]
        do {
          messages = try await consumer.next(batchMax)
        } catch {
          if isStopping || Task.isCancelled { break }
          log.warning("the broker gives no messages", [.error: "\(error)", .stream: consumer.stream])
          try await loop.sleep(for: .seconds(1))
          continue
        }
        let events = await withoutPoison(messages)
        do {
          let answers = try await process(events)
          backoff = backoffRange.lowerBound
          await untilOneMayAnswer()
          group.addTask { await self.answer(events, answers) }
        } catch {
          await processingFailed(events, error, backoff)
          try await loop.sleep(for: backoff)
          backoff = min(backoff * 2, backoffRange.upperBound)
        }
      }
      try await group.waitForAll()
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
    consumer.close()
  }

  // MARK: Answers

  private func untilOneMayAnswer() async {
    while answering >= answeringMax { await answered.wait(atMost: .seconds(1)) }
    answering += 1
  }

  /// Publishes the answers of a batch, then acknowledges what they answer.
  private func answer(_ events: [ReceivedEvent<Event>], _ answers: [OutgoingEvent]) async {
    defer {
      answering -= 1
      answered.signal()
    }
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

  /// Gives a batch back; alone among poison, an event that the database refuses is found by taking them one by one.
  private func processingFailed(_ events: [ReceivedEvent<Event>], _ error: any Error, _ delay: Duration) async {
    log.warning(
      "a batch could not be processed", [.count: "\(events.count)", .error: String(reflecting: error)])
    guard let refused = error as? PostgresError, refused.isServerRefusal else {
      for event in events { event.message.nak(delay: delay) }
      return
    }
    for event in events {
      do {
        await answerAlone(event, try await process([event]))
      } catch let error as PostgresError where error.isServerRefusal {
        await bury(event.message, reason: error.description)
      } catch {
        event.message.nak(delay: delay)
      }
    }
  }

  private func answerAlone(_ event: ReceivedEvent<Event>, _ answers: [OutgoingEvent]) async {
    await untilOneMayAnswer()
    await answer([event], answers)
  }

  /// The events of the messages that can be read and processed; the others are buried.
  private func withoutPoison(_ messages: [IncomingMessage]) async -> [ReceivedEvent<Event>] {
    var events: [ReceivedEvent<Event>] = []
    events.reserveCapacity(messages.count)
    for message in messages {
      do throws(DecodingError) {
        let event = try Self.event(in: message)
        if let reason = refusal(event) {
          await bury(message, reason: reason)
        } else {
          events.append(
            ReceivedEvent(event: event, traceparent: message.header("traceparent"), message: message))
        }
      } catch {
        await bury(message, reason: "not a \(Event.fullName): \(error)")
      }
    }
    return events
  }

  private static func event(in message: IncomingMessage) throws(DecodingError) -> Event {
    let result: Result<Event, DecodingError> = message.withPayload { payload in
      Result { () throws(DecodingError) in try Event(decoding: payload.bytes) }
    }
    return try result.get()
  }

  /// Puts a message that can never be processed into the stream DEAD, with the reason, and takes it off its own.
  private func bury(_ message: IncomingMessage, reason: String) async {
    log.error(
      "a message cannot be processed and goes to the stream DEAD",
      [.stream: consumer.stream, .sequence: "\(message.delivery.streamSequence)", .reason: reason])
    var headers: MessageHeaders = [
      "Gozon-Reason": reason, "Gozon-Stream": consumer.stream, "Gozon-Sequence": "\(message.delivery.streamSequence)",
    ]
    for (name, value) in message.headers.entries where name != MessageHeaders.messageID { headers.append(name, value) }
    let letter = OutgoingMessage(
      subject: "dead.\(message.subject)", messageID: "\(consumer.stream).\(message.delivery.streamSequence)",
      headers: headers, payload: message.payload)
    if case .success? = await jetStream.publishBatch([letter]).first {
      message.term(reason)
    } else {
      message.nak(delay: .seconds(5))
    }
  }
}
