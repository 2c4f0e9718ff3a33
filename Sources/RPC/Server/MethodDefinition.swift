internal import EventLoop
package import Wire

/// A method bound to the code that answers it.
package struct MethodDefinition: Sendable {
  /// The method's number; unique in its service.
  package let number: UInt8
  /// Such as `CreateOrder`.
  package let name: String
  /// Whether a repeat does no harm.
  package let isIdempotent: Bool
  /// Decodes the request and starts the handler; called on the loop.
  let start: @Sendable (_ request: RawSpan, _ context: CallContext) -> Void

  init(
    number: UInt8, name: String, isIdempotent: Bool,
    start: @escaping @Sendable (_ request: RawSpan, _ context: CallContext) -> Void
  ) {
    self.number = number
    self.name = name
    self.isIdempotent = isIdempotent
    self.start = start
  }

  /// A method with one request and one response.
  ///
  /// The request is decoded and checked against the marks of its schema before `call` sees it. `call` runs on the loop,
  /// at once until it first suspends; what it throws becomes the status, ``RPCError`` as it is, anything else INTERNAL
  /// without a word of detail.
  package static func unary<Request: Message, Response: Message>(
    number: UInt8, name: String, isIdempotent: Bool,
    call: @escaping @Sendable (Request, CallContext) async throws -> Response
  ) -> MethodDefinition {
    MethodDefinition(number: number, name: name, isIdempotent: isIdempotent) { payload, context in
      let request: Request
      do throws(DecodingError) {
        request = try Request(decoding: payload)
      } catch {
        return context.failUnstarted(RPCError(.invalidArgument, "the request cannot be decoded: \(error)"))
      }
      var violations: [FieldViolation] = []
      request.validate(at: "", into: &violations)
      if !violations.isEmpty { return context.failUnstarted(.invalid(violations)) }
      context.run {
        do {
          context.succeed(try await call(request, context))
        } catch {
          context.fail(error)
        }
      }
    }
  }
}

extension CallContext {
  /// Runs the handler as a task of the loop.
  func run(_ handler: @escaping @Sendable () async -> Void) {
    connection?.handlerStarts(self)
    let task = Task.immediate(executorPreference: loop.taskExecutor) {
      await handler()
      self.connection?.handlerEnded(self)
    }
    if connection?.isOpen(self) == true { self.task = task }
  }

  /// Answers with the response.
  func succeed(_ response: some Message) { connection?.answer(self, response) }

  /// Answers with the error that the handler threw.
  func fail(_ error: any Error) {
    switch error {
    case let error as RPCError: connection?.answer(self, error)
    case is CancellationError: connection?.answer(self, RPCError(.cancelled, "the call was cancelled"))
    default: connection?.answerUnexpected(self, error)
    }
  }

  /// Answers with an error of the request; no handler runs.
  func failUnstarted(_ error: RPCError) {
    connection?.refuse(stream: stream, error)
  }
}
