package import Wire
internal import EventLoop

/// Calls whose requests or responses are a stream.
extension RPCPool {
  package func stream<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request?, _ options: CallOptions
  ) -> StreamingCall<Request, Response> {
    var outgoing = OutgoingCall(method: method.id, methodName: method.name, options: options)
    let refusal = refusal(of: &outgoing)
    let call = PendingStream(method, request, outgoing.options, loop: loop)
    if let refusal {
      call.end(refusal)
    } else {
      counters.calls += 1
      watch(call, outgoing, RetryState(policy: retry, isRepeatable: method.isRepeatable(outgoing.options)))
      start(call)
    }
    return StreamingCall(call) { [loop] in loop.execute { call.abandoned() } }
  }

  private func refusal(of call: inout OutgoingCall) -> RPCError? {
    do throws(RPCError) {
      for interceptor in interceptors { try interceptor.callBegan(&call) }
      return nil
    } catch {
      return error
    }
  }

  private func watch<Request, Response>(
    _ call: PendingStream<Request, Response>, _ outgoing: OutgoingCall, _ state: RetryState
  ) {
    var state = state
    let began = loop.now
    call.onEnd = { [unowned self] call, error in
      attemptEnded(call, error)
      if let error, makesAgain(call, after: error, &state) { return true }
      callEnded(outgoing, error?.code ?? .ok, after: loop.now - began)
      return false
    }
  }

  /// Makes a call again that failed before any response came; false when it has failed for good.
  private func makesAgain<Request, Response>(
    _ call: PendingStream<Request, Response>, after error: RPCError, _ state: inout RetryState
  ) -> Bool {
    if call.responses.hasReceived { return false }
    let timeLeft = call.deadline - loop.now
    let decision = state.attemptFailed(error, timeLeft: timeLeft, budget: &budget, jitter: Double.random(in: -1...1))
    guard case .retry(let delay) = decision else { return false }
    counters.retries += 1
    call.reset()
    call.avoided = call.member
    call.options = call.options.again(attempt: state.attempt, timeout: call.options.timeout)
    _ = loop.schedule(after: delay) { if !call.isCompleted { self.place(call) } }
    return true
  }
}
