internal import EventLoop

/// Publishes to streams, many messages at a time, and matches the acknowledgements.
///
/// Of a batch only every so-manyth message asks for one, and the last: a stream takes what a connection sends in order.
/// Each acknowledgement saved is a message less for the broker and for us.
// Confined to its connection's event loop.
final class Publisher: @unchecked Sendable {
  /// How many messages one acknowledgement may stand for.
  private static let runMax = 256
  /// Inboxes are made for so many first tokens of subjects; further ones share one.
  private static let inboxesMax = 64

  private let connection: NATSConnection
  private let options: JetStreamClient.Options
  private var inboxes: [Substring: ReplyInbox] = [:]
  private var waiting = FIFO<Batch>()
  private var waitingCount = 0
  private var inFlightCount = 0
  private var inFlightBytes = 0
  private var isSendPlanned = false
  /// Called when no stream took a message.
  var onNoResponders: () -> Void = {}

  init(connection: NATSConnection, options: JetStreamClient.Options) {
    self.connection = connection
    self.options = options
  }

  /// Publishes all of `messages`, at least one, in order; the acknowledgement of the last.
  func publish(_ messages: [OutgoingMessage]) async throws(JetStreamError) -> PublishAck {
    connection.loop.preconditionCurrent()
    precondition(!messages.isEmpty, "nothing to publish")
    for message in messages { try message.validate() }
    guard waitingCount + messages.count <= options.publishWaitingMax else {
      throw JetStreamError(.overloaded, "too many messages wait to be published")
    }
    let result = await withUnsafeContinuation { continuation in
      // A part of the window, so that one that is full always waits for an acknowledgement that was asked for.
      let runMax = (min(Self.runMax, options.publishInFlightMax / 2), options.publishInFlightBytesMax / 2)
      waiting.append(Batch(messages, publisher: self, runMax: runMax, continuation: continuation))
      waitingCount += messages.count
      sendWaiting()
    }
    return try result.get()
  }

  /// Fails everything under way.
  func close() {
    for inbox in inboxes.values { inbox.close() }
  }

  private func sendWaiting() {
    while let batch = waiting.first {
      while let message = batch.nextMessage {
        if inFlightCount >= options.publishInFlightMax || inFlightBytes >= options.publishInFlightBytesMax { return }
        waitingCount -= 1
        inFlightCount += 1
        inFlightBytes += message.payload.count
        do { try send(message, of: batch) } catch { batch.failed(error) }
        batch.sent()
      }
      _ = waiting.popFirst()
      waitingCount -= batch.unsentCount
    }
  }

  private func send(_ message: OutgoingMessage, of batch: Batch) throws(JetStreamError) {
    guard batch.asksNext else {
      return try connection.publish(
        message.subject, headers: message.headers, messageID: message.messageID, payload: message.payload)
    }
    try inbox(for: message.subject).send(
      message.subject, headers: message.headers, messageID: message.messageID, payload: message.payload,
      timeout: options.publishTimeout, to: batch, tag: batch.sentCount)
  }

  /// So many messages, of so many bytes, are not in flight any more.
  fileprivate func landed(_ count: Int, bytes: Int) {
    inFlightCount -= count
    inFlightBytes -= bytes
    // What a read brings makes room at once, not message by message.
    if waiting.isEmpty || isSendPlanned { return }
    isSendPlanned = true
    connection.loop.atEndOfTurn {
      self.isSendPlanned = false
      self.sendWaiting()
    }
  }

  private func inbox(for subject: String) -> ReplyInbox {
    var root = subject.prefix { $0 != "." }
    if let inbox = inboxes[root] { return inbox }
    if inboxes.count >= Self.inboxesMax {
      root = ""
      if let inbox = inboxes[root] { return inbox }
    }
    let inbox = ReplyInbox(connection: connection)
    inbox.onNoResponders = { [weak self] in self?.onNoResponders() }
    inboxes[root] = inbox
    return inbox
  }
}

/// Messages that one caller waits for.
// Confined to its publisher's event loop.
private final class Batch: ReplyTaker, @unchecked Sendable {
  private let messages: [OutgoingMessage]
  private let publisher: Publisher
  private let continuation: UnsafeContinuation<Result<PublishAck, JetStreamError>, Never>
  /// Messages that were sent, or should have been.
  private(set) var sentCount = 0
  /// Messages that are in flight no more.
  private var landedCount = 0
  private var openRequests = 0
  /// Messages, and bytes of them, that no request stands for yet.
  private var run = (count: 0, bytes: 0)
  private let runMax: (count: Int, bytes: Int)
  private var failure: JetStreamError?

  init(
    _ messages: [OutgoingMessage], publisher: Publisher, runMax: (count: Int, bytes: Int),
    continuation: UnsafeContinuation<Result<PublishAck, JetStreamError>, Never>
  ) {
    self.messages = messages
    self.publisher = publisher
    self.runMax = runMax
    self.continuation = continuation
  }

  /// The message to send next; nil when all were sent, or one failed.
  var nextMessage: OutgoingMessage? { failure == nil && unsentCount > 0 ? messages[sentCount] : nil }

  var unsentCount: Int { messages.count - sentCount }

  /// Whether the next message asks for an acknowledgement.
  var asksNext: Bool { unsentCount == 1 || run.count + 1 >= runMax.count || run.bytes >= runMax.bytes }

  /// The next message is on its way, or has failed.
  func sent() {
    if failure == nil, asksNext {
      openRequests += 1
      run = (0, 0)
    } else {
      run = (run.count + 1, run.bytes + messages[sentCount].payload.count)
    }
    sentCount += 1
    finishIfFailed()
  }

  /// The next message cannot be sent, and those behind it will not be.
  func failed(_ error: JetStreamError) { failure = error }

  func replied(_ message: consuming NATSMessage, to tag: Int) {
    do {
      settled(tag, .success(try PublishAck(parsing: message.payload)))
    } catch {
      settled(tag, .failure(error))
    }
  }

  func failed(_ error: JetStreamError, tag: Int) { settled(tag, .failure(error)) }

  /// What the request of message `tag` came to; it stands for those before it as well.
  private func settled(_ tag: Int, _ result: Result<PublishAck, JetStreamError>) {
    openRequests -= 1
    if case .failure(let error) = result, failure == nil { failure = error }
    if failure != nil { return finishIfFailed() }
    land(max(tag + 1, landedCount))
    if tag == messages.count - 1 { continuation.resume(returning: result) }
  }

  private func finishIfFailed() {
    guard let failure, openRequests == 0 else { return }
    land(sentCount)
    continuation.resume(returning: .failure(failure))
  }

  private func land(_ count: Int) {
    let bytes = messages[landedCount..<count].reduce(0) { $0 + $1.payload.count }
    publisher.landed(count - landedCount, bytes: bytes)
    landedCount = count
  }
}
