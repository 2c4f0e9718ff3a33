internal import EventLoop

/// Publishes to streams, many at a time, and matches the acknowledgements.
// Confined to its connection's event loop.
final class Publisher: @unchecked Sendable {
  /// Inboxes are made for so many first tokens of subjects; further ones share one.
  private static let inboxesMax = 64

  private let connection: NATSConnection
  private let options: JetStreamClient.Options
  private var inboxes: [Substring: ReplyInbox] = [:]
  private var waiting = BatchQueue()
  private var inFlightCount = 0
  private var inFlightBytes = 0
  /// Called when no stream took a message.
  var onNoResponders: () -> Void = {}

  init(connection: NATSConnection, options: JetStreamClient.Options) {
    self.connection = connection
    self.options = options
  }

  /// Publishes all of `messages`, in order, and returns when each is acknowledged or has failed; one result for each.
  func publish(_ messages: [OutgoingMessage]) async -> [Result<PublishAck, JetStreamError>] {
    connection.loop.preconditionCurrent()
    if messages.isEmpty { return [] }
    guard waiting.messageCount + messages.count <= options.publishWaitingMax else {
      let error = JetStreamError(.overloaded, "too many messages wait to be published")
      return Array(repeating: .failure(error), count: messages.count)
    }
    return await withUnsafeContinuation { continuation in
      waiting.append(Batch(messages, publisher: self, continuation: continuation))
      sendWaiting()
    }
  }

  /// Fails everything under way.
  func close() {
    for inbox in inboxes.values { inbox.close() }
  }

  private func sendWaiting() {
    while inFlightCount < options.publishInFlightMax, inFlightBytes < options.publishInFlightBytesMax,
      let (batch, tag) = waiting.next()
    {
      let message = batch.messages[tag]
      inFlightCount += 1
      inFlightBytes += message.payload.count
      do {
        try message.validate()
        try inbox(for: message.subject).send(
          message.subject, headers: message.headers, messageID: message.messageID, payload: message.payload,
          timeout: options.publishTimeout, to: batch, tag: tag)
      } catch {
        batch.failed(error, tag: tag)
      }
    }
  }

  fileprivate func settled(_ message: OutgoingMessage) {
    inFlightCount -= 1
    inFlightBytes -= message.payload.count
    if !waiting.isEmpty, !isSendPlanned { planSend() }
  }

  /// What a read settles makes room at once, not message by message.
  private var isSendPlanned = false

  private func planSend() {
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
  let messages: [OutgoingMessage]
  private let publisher: Publisher
  private var results: [Result<PublishAck, JetStreamError>]
  private var openCount: Int
  private let continuation: UnsafeContinuation<[Result<PublishAck, JetStreamError>], Never>

  init(
    _ messages: [OutgoingMessage], publisher: Publisher,
    continuation: UnsafeContinuation<[Result<PublishAck, JetStreamError>], Never>
  ) {
    self.messages = messages
    self.publisher = publisher
    self.continuation = continuation
    openCount = messages.count
    results = Array(repeating: .failure(.disconnected), count: messages.count)
  }

  func replied(_ message: consuming NATSMessage, to tag: Int) {
    do {
      settle(tag, .success(try PublishAck(parsing: message.payload)))
    } catch {
      settle(tag, .failure(error))
    }
  }

  func failed(_ error: JetStreamError, tag: Int) { settle(tag, .failure(error)) }

  private func settle(_ tag: Int, _ result: Result<PublishAck, JetStreamError>) {
    results[tag] = result
    openCount -= 1
    publisher.settled(messages[tag])
    if openCount == 0 { continuation.resume(returning: results) }
  }
}

/// Messages that wait for a place in flight, first come first served.
private struct BatchQueue {
  private var batches: [Batch] = []
  private var head = 0
  private var nextTag = 0
  private(set) var messageCount = 0

  var isEmpty: Bool { messageCount == 0 }

  mutating func append(_ batch: Batch) {
    batches.append(batch)
    messageCount += batch.messages.count
  }

  mutating func next() -> (Batch, tag: Int)? {
    guard head < batches.count else { return nil }
    let next = (batches[head], tag: nextTag)
    nextTag += 1
    messageCount -= 1
    if nextTag == batches[head].messages.count { advance() }
    return next
  }

  private mutating func advance() {
    nextTag = 0
    head += 1
    // Amortised: what is dropped was appended once.
    if head == batches.count || head > 1024 {
      batches.removeSubrange(..<head)
      head = 0
    }
  }
}
