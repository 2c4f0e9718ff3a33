package import Wire
internal import EventLoop

/// Calls with one request and one response.
extension RPCPool {
  package func unary<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request, _ options: CallOptions
  ) async throws -> Response {
    guard interceptors.isEmpty else {
      return try await intercepted(OutgoingCall(method: method.id, methodName: method.name, options: options)) {
        options in
        try await self.perform(
          TypedCall<Request, Response>(request, method: method.id, options: options), method.isRepeatable(options))
      }
    }
    return try await perform(
      TypedCall<Request, Response>(request, method: method.id, options: options), method.isRepeatable(options))
  }

  package func call(method id: UInt16, payload: [UInt8], options: CallOptions) async throws -> CallResult {
    guard interceptors.isEmpty else {
      return try await intercepted(OutgoingCall(method: id, methodName: "", options: options)) { options in
        try await self.perform(RawCall(payload, method: id, options: options), options.isRepeatable ?? false)
      }
    }
    return try await perform(RawCall(payload, method: id, options: options), options.isRepeatable ?? false)
  }

  /// Makes a call in as many attempts as it takes and may have. The first one costs nothing beside what a call costs.
  @inline(__always)
  private func perform<Output>(_ call: UnaryCall<Output>, _ isRepeatable: Bool) async throws -> Output {
    counters.calls += 1
    if isRepeatable, let delay = retry.hedgingDelay { return try await hedged(call, after: delay) }
    let timeout = call.options.timeout
    let deadline = loop.now + timeout
    if isRepeatable, let attemptTimeout = retry.attemptTimeout { call.options.timeout = min(attemptTimeout, timeout) }
    do {
      return try await attempt(call)
    } catch let error as RPCError {
      return try await performAgain(call, after: error, isRepeatable, deadline)
    }
  }

  private func performAgain<Output>(
    _ first: UnaryCall<Output>, after error: RPCError, _ isRepeatable: Bool, _ deadline: LoopInstant
  ) async throws -> Output {
    var state = RetryState(policy: retry, isRepeatable: isRepeatable)
    var (call, error) = (first, error)
    while true {
      let decision = state.attemptFailed(
        error, timeLeft: deadline - loop.now, budget: &budget, jitter: Double.random(in: -1...1))
      guard case .retry(let delay) = decision else { throw error }
      do { try await loop.sleep(for: delay) } catch { throw RPCError.givenUp }
      counters.retries += 1
      let failed = call.member
      call = call.another(
        call.options.again(attempt: state.attempt, timeout: state.attemptTimeout(timeLeft: deadline - loop.now)))
      call.avoided = failed
      do { return try await attempt(call) } catch let next as RPCError { error = next }
    }
  }

  /// Makes one attempt. Inlined, as an async function costs its callers about as much as everything else that a pool adds.
  @inline(__always)
  func attempt<Output>(_ call: UnaryCall<Output>) async throws -> Output {
    do {
      let output = try await withTaskCancellationHandler {
        try await withUnsafeThrowingContinuation { continuation in
          call.continuation = continuation
          start(call)
        }
      } onCancel: {
        loop.execute { call.giveUp(.givenUp) }
      }
      attemptEnded(call, nil)
      return output
    } catch {
      attemptEnded(call, error as? RPCError)
      throw error
    }
  }

  private func intercepted<Output>(
    _ call: OutgoingCall, _ body: (CallOptions) async throws -> Output
  ) async throws -> Output {
    var call = call
    for interceptor in interceptors { try interceptor.callBegan(&call) }
    let began = loop.now
    do {
      let output = try await body(call.options)
      callEnded(call, .ok, after: loop.now - began)
      return output
    } catch {
      callEnded(call, (error as? RPCError)?.code ?? .unknown, after: loop.now - began)
      throw error
    }
  }

  func callEnded(_ call: OutgoingCall, _ status: StatusCode, after duration: Duration) {
    for interceptor in interceptors { interceptor.callEnded(call, status, after: duration) }
  }
}

extension CallOptions {
  /// The options of another attempt, which says the how manieth it is where there is room for that.
  func again(attempt: Int, timeout: Duration) -> CallOptions {
    var options = self
    options.timeout = timeout
    options.metadata["attempt"] = "\(attempt)"
    if !options.metadata.fits { options.metadata = metadata }
    return options
  }
}
