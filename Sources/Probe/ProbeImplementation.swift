package import API
internal import EventLoop
package import RPC

/// The probe service: answers that the caller asks for, in every shape of call.
package struct ProbeImplementation: ProbeService {
  /// A service without a state.
  package init() {}

  package func ask(_ request: AskRequest, context: CallContext) async throws -> AskResponse {
    try await wait(request.delayMilliseconds, context)
    try fail(request.status, request.reason)
    return AskResponse(
      payload: request.payload, metadata: context.metadata.pairs.flatMap { [$0.name, $0.value] },
      millisecondsLeft: context.timeRemaining.millisecondsRoundedUp)
  }

  package func produce(
    _ request: ProduceRequest, responses: ResponseWriter<Piece>, context: CallContext
  ) async throws {
    let payload = [UInt8](repeating: 0x70, count: Int(request.size))
    for number in 0..<request.count {
      try await wait(request.intervalMilliseconds, context)
      try await responses.send(Piece(number: number, payload: payload))
    }
    try fail(request.status)
  }

  package func consume(_ requests: RequestStream<Piece>, context: CallContext) async throws -> ConsumeResponse {
    var answer = ConsumeResponse()
    for try await piece in requests {
      answer.count += 1
      answer.bytes += UInt64(piece.payload.count)
    }
    return answer
  }

  package func echo(
    _ requests: RequestStream<Piece>, responses: ResponseWriter<Piece>, context: CallContext
  ) async throws {
    for try await piece in requests { try await responses.send(piece) }
  }

  private func fail(_ number: UInt32?, _ reason: String? = nil) throws(RPCError) {
    guard let number, number > 0, let status = StatusCode(rawValue: UInt16(number)) else { return }
    throw RPCError(status, "the caller asked for \(status.name)", reason: reason ?? "")
  }

  private func wait(_ milliseconds: UInt32, _ context: CallContext) async throws {
    if milliseconds > 0 { try await context.loop.sleep(for: .milliseconds(milliseconds)) }
  }
}
