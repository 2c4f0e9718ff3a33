internal import Wire

/// A call with one request and one response, for whoever waits for an `Output`.
// Confined to the event loop of its connection.
package class UnaryCall<Output: Sendable>: PendingCall, @unchecked Sendable {
  var continuation: UnsafeContinuation<Output, any Error>?

  /// The same call once more, made with `options`.
  func another(_ options: CallOptions) -> UnaryCall<Output> { preconditionFailure("a subclass knows the request") }

  package override func fail(_ error: RPCError) { continuation?.resume(throwing: error) }
}

/// A call whose request and response types are known.
// Confined to the event loop of its connection.
final class TypedCall<Request: Message, Response: Message>: UnaryCall<Response>, @unchecked Sendable {
  let request: Request

  init(_ request: Request, method: UInt16, options: CallOptions) {
    self.request = request
    super.init(method: method, options: options)
  }

  override func another(_ options: CallOptions) -> UnaryCall<Response> {
    TypedCall(request, method: method, options: options)
  }

  override func appendRequest(to bytes: inout [UInt8]) { request.append(to: &bytes) }

  override func succeed(_ payload: RawSpan, _ metadata: Metadata) {
    do throws(DecodingError) {
      continuation?.resume(returning: try Response(decoding: payload))
    } catch {
      fail(RPCError(.internal, "the response cannot be decoded: \(error)"))
    }
  }
}

/// A call with encoded request and response.
// Confined to the event loop of its connection.
final class RawCall: UnaryCall<CallResult>, @unchecked Sendable {
  private let request: [UInt8]

  init(_ request: [UInt8], method: UInt16, options: CallOptions) {
    self.request = request
    super.init(method: method, options: options)
  }

  override func another(_ options: CallOptions) -> UnaryCall<CallResult> {
    RawCall(request, method: method, options: options)
  }

  override func appendRequest(to bytes: inout [UInt8]) { bytes.append(contentsOf: request) }

  override func succeed(_ payload: RawSpan, _ metadata: Metadata) {
    continuation?.resume(returning: CallResult(payload: payload.withUnsafeBytes { Array($0) }, metadata: metadata))
  }
}
