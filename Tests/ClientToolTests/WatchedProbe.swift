import API
import Probe
import RPC

/// The probe service, which a test learns of or holds back.
struct WatchedProbe: ProbeService {
  private let beforeAsk: @Sendable () -> Void
  private let beforeConsume: @Sendable (CallContext) async throws -> Void
  private let probe = ProbeImplementation()

  init(
    beforeAsk: @escaping @Sendable () -> Void = {},
    beforeConsume: @escaping @Sendable (CallContext) async throws -> Void = { _ in }
  ) {
    self.beforeAsk = beforeAsk
    self.beforeConsume = beforeConsume
  }

  func ask(_ request: AskRequest, context: CallContext) async throws -> AskResponse {
    beforeAsk()
    return try await probe.ask(request, context: context)
  }

  func produce(_ request: ProduceRequest, responses: ResponseWriter<Piece>, context: CallContext) async throws {
    try await probe.produce(request, responses: responses, context: context)
  }

  func consume(_ requests: RequestStream<Piece>, context: CallContext) async throws -> ConsumeResponse {
    try await beforeConsume(context)
    return try await probe.consume(requests, context: context)
  }

  func echo(
    _ requests: RequestStream<Piece>, responses: ResponseWriter<Piece>, context: CallContext
  ) async throws {
    try await probe.echo(requests, responses: responses, context: context)
  }
}
