public import Wire

// Public for the handlers of generated code.
/// The requests of a call whose caller sends a stream of them. One task reads it.
public struct RequestStream<Request: Message>: AsyncSequence, Sendable {
  /// Takes one request after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let queue: MessageQueue<Request>

    /// The next request, checked against the marks of its schema; nil when the caller has finished.
    ///
    /// - Throws: `CancellationError` when the caller gave up, disconnected, or the deadline passed.
    public mutating func next() async throws -> Request? { try await queue.next() }
  }

  let queue: MessageQueue<Request>

  /// Reads from where the stream is.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(queue: queue) }
}
