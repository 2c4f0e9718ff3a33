internal import EventLoop
internal import RPC
internal import Service

/// What one server told of itself, and when.
struct TopSample: Sendable {
  let address: Address
  let time: LoopInstant
  let answer: Result<InspectResponse, RPCError>

  /// What it told; nil when it did not answer.
  var inspection: InspectResponse? { try? answer.get() }
}
