import EventLoop

@testable import RPC

/// A connection of a pool, in memory: it answers calls as its test says.
// Confined to the loop of its test.
final class FakeConnection: PoolConnection, @unchecked Sendable {
  let address: String
  var onStateChange: (() -> Void)?
  var state: ConnectionState {
    didSet { onStateChange?() }
  }
  /// Every call that came.
  private(set) var calls: [PendingCall] = []
  /// How often it was told to connect at once.
  private(set) var nudges = 0
  /// Answers a call, which hangs when the result is nil.
  var answer: (PendingCall) -> Result<[UInt8], RPCError>? = { _ in nil }

  init(_ address: String, state: ConnectionState = .ready) {
    self.address = address
    self.state = state
  }

  var callCount: Int { calls.count { !$0.isCompleted } }

  func begin(_ call: PendingCall) {
    calls.append(call)
    if let result = answer(call) { complete(call, result) }
  }

  func complete(_ call: PendingCall, _ result: Result<[UInt8], RPCError>) {
    switch result {
    case .success(let payload):
      call.isCompleted = true
      call.succeed(payload.span.bytes, [:])
    case .failure(let error): call.end(error)
    }
  }

  /// The server says that it never saw the calls that hang, and takes no more.
  func goAway() {
    let unseen = calls.filter { !$0.isCompleted }
    calls = []
    state = .waiting(RPCError(.unavailable, "\(address) is shutting down"))
    for call in unseen { call.pool?.handedBack(call) }
  }

  func connectNow() { nudges += 1 }

  func run() async {}

  func unary<Request, Response>(
    _ method: MethodReference<Request, Response>, _ request: Request, _ options: CallOptions
  ) async throws -> Response { preconditionFailure("a pool makes its calls itself") }

  func stream<Request, Response>(
    _ method: MethodReference<Request, Response>, _ request: Request?, _ options: CallOptions
  ) -> StreamingCall<Request, Response> { preconditionFailure("a pool makes its calls itself") }

  func call(method id: UInt16, payload: [UInt8], options: CallOptions) async throws -> CallResult {
    preconditionFailure("a pool makes its calls itself")
  }
}
