internal import EventLoop
internal import Wire

/// A call whose requests or responses are a stream, as its connection knows it.
// Confined to the event loop of its connection.
final class PendingStream<Request: Message, Response: Message>: PendingCall, @unchecked Sendable {
  let responses: MessageQueue<Response>
  private let request: Request?
  private(set) var responseMetadata = Metadata()
  /// Is told how the call ended, nil for well; returns whether it is made again instead of failing.
  var onEnd: ((PendingStream, RPCError?) -> Bool)?

  /// A call of `method`; `request` is nil when the requests are a stream.
  init(_ method: MethodReference<Request, Response>, _ request: Request?, _ options: CallOptions, loop: EventLoop) {
    self.request = request
    responses = MessageQueue(loop: loop, validates: false)
    super.init(method: method.id, options: options)
    if method.requestIsStream {
      flags.insert(.requestsStream)
      outbound = OutboundMessages(loop: loop)
    }
    if method.responseIsStream {
      flags.insert(.responsesStream)
      inbound = responses
    }
  }

  override func appendRequest(to bytes: inout [UInt8]) { request?.append(to: &bytes) }

  override func succeed(_ payload: RawSpan, _ metadata: Metadata) {
    responseMetadata = metadata
    _ = onEnd?(self, nil)
    do throws(RPCError) {
      if !flags.contains(.responsesStream) { try responses.receive(payload, cost: 0) }
      responses.finish(nil)
    } catch {
      responses.finish(RPCError(.internal, "the response cannot be decoded: \(error.message)"))
    }
  }

  override func fail(_ error: RPCError) {
    if onEnd?(self, error) == true { return }
    outbound?.fail(error)
    responses.finish(error)
  }

  /// Readies a call that failed for another attempt.
  func reset() {
    link?.callHandedBack(stream)
    link = nil
    isCompleted = false
  }

  /// Nobody holds the call any more.
  func abandoned() {
    giveUp(.givenUp)
    link?.callAbandoned(stream)
  }
}
