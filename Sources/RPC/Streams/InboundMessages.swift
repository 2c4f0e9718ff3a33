internal import EventLoop
internal import Wire

/// The messages that come on a call, until their reader takes them.
// Confined to the event loop of its connection.
class InboundMessages: @unchecked Sendable {
  /// Is told what a message cost that the reader took, in bytes.
  var onTaken: ((Int) -> Void)?

  /// A message came.
  func receive(_ payload: RawSpan, cost: Int) throws(RPCError) { preconditionFailure("a subclass knows the messages") }

  /// No more will come: all is well when `error` is nil. What came before can still be read.
  func finish(_ error: (any Error)?) {}

  /// The call ended in a way that makes what came before worthless: the reader learns of `error` at once.
  func abandon(_ error: any Error) {}
}

/// The messages of one type that come on a call. One task reads them.
// Confined to the event loop of its connection.
final class MessageQueue<Element: Message>: InboundMessages, @unchecked Sendable {
  private let loop: EventLoop
  /// Whether the messages are checked against the marks of their schema.
  private let validates: Bool
  private var messages = FIFO<(message: Element, cost: Int)>()
  private var reader: UnsafeContinuation<Element?, any Error>?
  /// The number of the last read that had to wait: a cancellation must not hit the one after it.
  private var lastRead = 0
  private var end: Result<Void, any Error>?
  /// Ends a read that has waited for as long as it may.
  private var timer: LoopTimer?
  /// Whether any message came.
  private(set) var hasReceived = false

  init(loop: EventLoop, validates: Bool) {
    self.loop = loop
    self.validates = validates
  }

  /// The next message, when it comes in time; see ``next()``.
  func next(atMost timeout: Duration) async throws -> Arrival<Element> {
    if messages.isEmpty, end == nil {
      let read = lastRead + 1
      timer = loop.schedule(after: timeout) { self.stopReading(read, NothingCame()) }
    }
    defer {
      timer?.cancel()
      timer = nil
    }
    do {
      return try await next().map { .message($0) } ?? .end
    } catch is NothingCame {
      return .nothing
    }
  }

  /// The next message; nil behind the last one.
  ///
  /// - Throws: how the call ended, when it did not end well; `CancellationError` when the task is cancelled.
  func next() async throws -> Element? {
    if let (message, cost) = messages.popFirst() {
      onTaken?(cost)
      return message
    }
    if let end {
      try end.get()
      return nil
    }
    lastRead += 1
    let read = lastRead
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        precondition(reader == nil, "two tasks read one stream of messages")
        reader = continuation
        // By way of the loop: a cancelled task that reads again and again must not keep everything else from running.
        if Task.isCancelled { loop.execute { self.stopReading(read) } }
      }
    } onCancel: {
      loop.execute { self.stopReading(read) }
    }
  }

  override func receive(_ payload: RawSpan, cost: Int) throws(RPCError) {
    hasReceived = true
    let message: Element
    do throws(DecodingError) {
      message = try Element(decoding: payload)
    } catch {
      throw RPCError(.invalidArgument, "a message of the stream cannot be decoded: \(error)")
    }
    if validates {
      let violations = message.validate()
      if !violations.isEmpty { throw .invalid(violations) }
    }
    guard let reader else { return messages.append((message, cost)) }
    self.reader = nil
    onTaken?(cost)
    reader.resume(returning: message)
  }

  override func finish(_ error: (any Error)?) {
    if end != nil { return }
    end = error.map { .failure($0) } ?? .success(())
    guard let reader else { return }
    self.reader = nil
    if let error { reader.resume(throwing: error) } else { reader.resume(returning: nil) }
  }

  override func abandon(_ error: any Error) {
    messages = FIFO()
    finish(error)
  }

  private func stopReading(_ read: Int, _ reason: any Error = CancellationError()) {
    if read != lastRead { return }
    reader?.resume(throwing: reason)
    reader = nil
  }
}

/// No message came in the time that a reader has.
private struct NothingCame: Error {}

/// What came of a wait for the next message of a stream.
package enum Arrival<Element: Sendable>: Sendable {
  case message(Element)
  /// The stream has ended well.
  case end
  /// Nothing yet.
  case nothing
}
