internal import EventLoop
internal import Wire

/// A call that waits for its answer; completed once, on the loop.
// Confined to the event loop of its connection.
class PendingCall: @unchecked Sendable {
  let method: UInt16
  let options: CallOptions
  var deadline = LoopInstant(nanoseconds: .max)
  /// Where the call is under way; nil before and after, so that the two do not keep each other.
  var connection: ClientConnection?
  var stream: UInt32 = 0
  var isCompleted = false
  /// Which of its parts are streams.
  var flags: FrameHeader.Flags = []
  /// The responses, when they are a stream.
  var inbound: InboundMessages?
  /// The requests, when they are a stream.
  var outbound: OutboundMessages?
  /// Where a call with a stream was made: what came is on its account until it is read.
  var link: StreamLink?

  var isStreaming: Bool { !flags.isEmpty }

  init(method: UInt16, options: CallOptions) {
    self.method = method
    self.options = options
  }

  /// Appends the request message.
  func appendRequest(to bytes: inout [UInt8]) { preconditionFailure("a subclass knows the request") }

  /// The response message came.
  func succeed(_ payload: RawSpan, _ metadata: Metadata) {}

  /// The call failed.
  func fail(_ error: RPCError) {}
}

/// A call whose request and response types are known.
// Confined to the event loop of its connection.
final class TypedCall<Request: Message, Response: Message>: PendingCall, @unchecked Sendable {
  let request: Request
  var continuation: UnsafeContinuation<Response, any Error>?

  init(_ request: Request, method: UInt16, options: CallOptions) {
    self.request = request
    super.init(method: method, options: options)
  }

  override func appendRequest(to bytes: inout [UInt8]) { request.append(to: &bytes) }

  override func succeed(_ payload: RawSpan, _ metadata: Metadata) {
    do throws(DecodingError) {
      continuation?.resume(returning: try Response(decoding: payload))
    } catch {
      fail(RPCError(.internal, "the response cannot be decoded: \(error)"))
    }
  }

  override func fail(_ error: RPCError) { continuation?.resume(throwing: error) }
}

/// A call with encoded request and response.
// Confined to the event loop of its connection.
final class RawCall: PendingCall, @unchecked Sendable {
  private let request: [UInt8]
  var continuation: UnsafeContinuation<CallResult, any Error>?

  init(_ request: [UInt8], method: UInt16, options: CallOptions) {
    self.request = request
    super.init(method: method, options: options)
  }

  override func appendRequest(to bytes: inout [UInt8]) { bytes.append(contentsOf: request) }

  override func succeed(_ payload: RawSpan, _ metadata: Metadata) {
    continuation?.resume(returning: CallResult(payload: payload.withUnsafeBytes { Array($0) }, metadata: metadata))
  }

  override func fail(_ error: RPCError) { continuation?.resume(throwing: error) }
}
