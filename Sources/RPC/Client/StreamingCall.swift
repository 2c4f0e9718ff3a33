internal import EventLoop
package import Wire

/// A call whose requests or responses are a stream, as its caller holds it: the sequence of its responses.
///
/// The call is given up when nobody holds it any more, or its iterator.
// Confined to the event loop of its client, but for its end.
package final class StreamingCall<Request: Message, Response: Message>: AsyncSequence, @unchecked Sendable {
  package typealias Element = Response

  /// Takes one response after the other.
  package struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let call: StreamingCall

    /// The next response; nil when the call has ended well.
    ///
    /// - Throws: ``RPCError``, how it ended otherwise; `CancellationError` when the task is cancelled.
    package mutating func next() async throws -> Response? { try await call.pending.responses.next() }
  }

  private let pending: PendingStream<Request, Response>
  private let abandon: @Sendable () -> Void

  /// A call that `abandon` gives up.
  init(_ pending: PendingStream<Request, Response>, abandon: @escaping @Sendable () -> Void) {
    self.pending = pending
    self.abandon = abandon
  }

  deinit { abandon() }

  /// The values that came beside the end of the call.
  package var responseMetadata: Metadata { pending.responseMetadata }

  package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(call: self) }

  /// The next response, when it comes in time; the iterator goes on behind it.
  ///
  /// - Throws: as the iterator.
  package func next(atMost timeout: Duration) async throws -> Arrival<Response> {
    try await pending.responses.next(atMost: timeout)
  }

  /// Sends a request; waits while the server reads too slowly, or while there is no connection yet.
  ///
  /// - Throws: ``RPCError`` when the call has ended; the sequence of responses tells how.
  package func send(_ request: Request) async throws {
    guard let outbound = pending.outbound else { preconditionFailure("the method takes one request only") }
    if try outbound.trySend({ request.append(to: &$0) }) { return }
    try await outbound.send { request.append(to: &$0) }
  }

  /// Sends no more requests.
  package func finish() { pending.outbound?.finish() }

  /// The one response of a method that does not stream its responses.
  ///
  /// - Throws: as the iterator.
  package func response() async throws -> Response {
    if let response = try await pending.responses.next() { return response }
    throw RPCError(.internal, "the call ended without a response")
  }
}
