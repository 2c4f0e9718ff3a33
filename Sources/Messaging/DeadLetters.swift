internal import EventLoop
internal import JetStream
internal import Service
internal import Tracing

/// Puts messages that can never be processed into the stream DEAD, with the reason.
// Confined to the event loop of its client.
struct DeadLetters: @unchecked Sendable {
  /// The most bytes of a message that the stream DEAD gets: with the reason, it must fit what a broker takes (1 MiB).
  private static let bytesMax = 512 * 1_024
  /// The wait until a letter is tried again that the broker did not take.
  private static let pause: Duration = .seconds(1)

  private let jetStream: JetStreamClient
  private let stream: String
  private let log: Log

  /// Takes messages of `stream`.
  init(jetStream: JetStreamClient, stream: String, log: Log) {
    self.jetStream = jetStream
    self.stream = stream
    self.log = log
  }

  /// Buries a message; tries again until the broker has taken it.
  ///
  /// - Returns: whether it is buried: no, when `isOver` said so first.
  func bury(_ message: IncomingMessage, reason: String, until isOver: () -> Bool) async -> Bool {
    log.error(
      "a message cannot be processed and goes to the stream DEAD",
      [
        .stream: stream, .sequence: "\(message.sequence)", .reason: reason,
        .orderID: message.header(EventHeader.order) ?? "",
        .traceID: message.header("traceparent").flatMap(TraceParent.init)?.traceID ?? "",
      ])
    let letter = letter(message, reason: reason)
    while !isOver(), !Task.isCancelled {
      do {
        _ = try await jetStream.publish(letter)
        return true
      } catch {
        log.warning("the stream DEAD did not take a message, and will be asked again", [.error: "\(error)"])
        try? await jetStream.loop.sleep(for: Self.pause)
      }
    }
    return false
  }

  /// The message as it goes to the stream DEAD: with its headers, but for those that tell a broker what to do.
  private func letter(_ message: IncomingMessage, reason: String) -> OutgoingMessage {
    var headers: MessageHeaders = [
      DeadLetter.reasonHeader: reason, DeadLetter.streamHeader: stream,
      DeadLetter.sequenceHeader: "\(message.sequence)",
    ]
    for (name, value) in message.headers.entries
    where !name.hasPrefix("Nats-") && headers[name] == nil && MessageHeaders.isSendable(name, value) {
      headers.append(name, value)
    }
    let payload = message.payload
    if payload.count > Self.bytesMax { headers.append(DeadLetter.sizeHeader, "\(payload.count)") }
    return OutgoingMessage(
      subject: DeadLetter.subjectPrefix + message.subject, messageID: "\(stream).\(message.sequence)", headers: headers,
      payload: Array(payload.prefix(Self.bytesMax)))
  }
}
