public import Wire

// Public and inlinable, so that the module of the messages has its own code for each of them.
/// Sends the responses of a call whose caller takes a stream of them.
public struct ResponseWriter<Response: Message>: Sendable {
  @usableFromInline let messages: OutboundMessages
  @usableFromInline let context: CallContext

  init(_ messages: OutboundMessages, _ context: CallContext) {
    self.messages = messages
    self.context = context
  }

  /// Sends a response; waits while the caller reads too slowly.
  ///
  /// - Throws: `CancellationError` when the caller gave up, disconnected, or the deadline passed; ``RPCError``
  ///   RESOURCE_EXHAUSTED when the caller accepts no message of this size.
  @inlinable
  public func send(_ response: Response) async throws {
    if context.isUnauthorized { throw UnauthorizedAnswer() }
    if try messages.trySend({ response.append(to: &$0) }) { return }
    try await messages.send { response.append(to: &$0) }
  }
}
