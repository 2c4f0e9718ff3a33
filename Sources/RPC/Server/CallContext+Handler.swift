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

  /// The handler runs as `task`, and has run until it first suspended.
  package func started(_ task: Task<Void, Never>) {
    if isFinished { return }
    self.task = task
    connection?.handlerSuspended(self)
  }

  /// Answers with the response.
  @inlinable
  public func finish(_ response: some Message) {
    finish { response.append(to: &$0) }
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
    connection?.answer(self, append)
    ended()
  }

  @usableFromInline
  func refuse(_ error: DecodingError) {
    connection?.refuse(stream: stream, RPCError(.invalidArgument, "the request cannot be decoded: \(error)"))
  }

  @usableFromInline
  func refuse(_ violations: [FieldViolation]) {
    connection?.refuse(stream: stream, .invalid(violations))
  }

  private func ended() {
    isFinished = true
    if task != nil { connection?.handlerEnded(self) }
  }
}
