internal import EventLoop
public import Wire

/// The life of a handler: refused, or started and finished. Called by generated code.
// What is generic is public and inlinable, so that the module of the messages has its own code for each of them.
extension CallContext {
  /// Runs the handler on the loop of its connection.
  package var executor: any TaskExecutor { loop.taskExecutor }

  /// The request, decoded and checked against the marks of its schema; nil when it has been refused.
  @inlinable
  public func request<Request: Message>(_ payload: RawSpan, as type: Request.Type) -> Request? {
    let request: Request
    do throws(DecodingError) {
      request = try Request(decoding: payload)
    } catch {
      refuse(error)
      return nil
    }
    var violations: [FieldViolation] = []
    request.validate(at: "", into: &violations)
    if violations.isEmpty { return request }
    refuse(violations)
    return nil
  }

  /// The caller's stream of requests. Once, before the handler starts.
  package func requests<Request: Message>(of type: Request.Type) -> RequestStream<Request> {
    let queue = MessageQueue<Request>(loop: loop, validates: true)
    inbound = queue
    return RequestStream(queue: queue)
  }

  /// What sends the stream of responses. Once, before the handler starts.
  package func responses<Response: Message>(of type: Response.Type) -> ResponseWriter<Response> {
    let messages = OutboundMessages(loop: loop)
    outbound = messages
    return ResponseWriter(messages, self)
  }

  /// The streams are made, and the handler is about to start: messages can be moved from now on. Only for methods with
  /// a stream.
  package func streamsMade() { connection?.callBegan(self) }

  /// The handler runs as `task`, and has run until it first suspended.
  package func started(_ task: Task<Void, Never>) {
    if isFinished { return }
    self.task = task
    if !isStreaming { connection?.callBegan(self) }
  }

  /// Answers with the response.
  @inlinable
  public func finish(_ response: some Message) {
    finish { response.append(to: &$0) }
  }

  /// Ends a stream of responses well.
  package func finish() {
    finish { _ in }
  }

  /// Answers with the error that the handler threw: ``RPCError`` as it is, anything else as INTERNAL without a word of
  /// detail.
  package func finish(throwing error: any Error) {
    switch error {
    case let error as RPCError: connection?.answer(self, error)
    case is CancellationError: connection?.answer(self, RPCError(.cancelled, "the call was cancelled"))
    default: connection?.answerUnexpected(self, error)
    }
    ended()
  }

  @usableFromInline
  func finish(_ append: (inout [UInt8]) -> Void) {
    if mustAuthorize { return finish(throwing: UnauthorizedAnswer()) }
    connection?.answer(self, append)
    ended()
  }

  @usableFromInline
  func refuse(_ error: DecodingError) {
    refuse(RPCError(.invalidArgument, "the request cannot be decoded: \(error)"))
  }

  @usableFromInline
  func refuse(_ violations: [FieldViolation]) { refuse(.invalid(violations)) }

  func refuse(_ error: RPCError) { connection?.refuse(stream: stream, error, method) }

  private func ended() {
    isFinished = true
    if task != nil || isStreaming { connection?.handlerEnded(self) }
  }
}
