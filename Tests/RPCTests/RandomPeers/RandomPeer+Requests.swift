import API
import TestSupport
import Wire

@testable import RPC

extension RandomPeer {
  /// A request, and what must become of it.
  struct Request {
    var method = ProbeMethods.ask.id
    var flags: FrameHeader.Flags = []
    var milliseconds: UInt32 = 60_000
    var payload: [UInt8] = []
    let expectation: PeerCall.Expectation
  }

  func makeRequest() -> Request {
    switch Int.random(in: 0..<12, using: &random) {
    case 0..<2: ask()
    case 2..<4: produce()
    case 4..<6: Request(method: ProbeMethods.consume.id, flags: .requestsStream, expectation: .consumed)
    case 6..<8:
      Request(method: ProbeMethods.echo.id, flags: [.requestsStream, .responsesStream], expectation: .echoed)
    case 8: Request(payload: AskRequest(delayMilliseconds: 60_000).encoded(), expectation: .never)
    default: refused()
    }
  }

  private func ask() -> Request {
    let payload = random.bytes(Int.random(in: 0...3_000, using: &random))
    if Bool.random(using: &random) {
      return Request(
        flags: .metadata, payload: [0, 0] + AskRequest(payload: payload).encoded(), expectation: .asked(payload))
    }
    return Request(payload: AskRequest(payload: payload).encoded(), expectation: .asked(payload))
  }

  private func produce() -> Request {
    let (count, size) = (UInt64.random(in: 0...12, using: &random), Int.random(in: 0...1_500, using: &random))
    return Request(
      method: ProbeMethods.produce.id, flags: .responsesStream,
      payload: ProduceRequest(count: count, size: UInt32(size)).encoded(),
      expectation: .produced(count: count, size: size))
  }

  /// What is answered with an error.
  private func refused() -> Request {
    switch Int.random(in: 0..<6, using: &random) {
    case 0:
      let status = StatusCode(rawValue: UInt16.random(in: 1...16, using: &random)) ?? .unknown
      return Request(payload: AskRequest(status: UInt32(status.rawValue)).encoded(), expectation: .status(status))
    case 1: return Request(payload: random.bytes(5), expectation: .status(.invalidArgument))
    case 2: return Request(method: 0x02FF, expectation: .status(.unimplemented))
    case 3: return Request(milliseconds: 0, expectation: .status(.deadlineExceeded))
    case 4: return Request(flags: .metadata, payload: [9, 9, 9], expectation: .status(.invalidArgument))
    default: return Request(method: ProbeMethods.echo.id, expectation: .status(.unimplemented))
    }
  }
}
