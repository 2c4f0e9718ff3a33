internal import EventLoop
internal import RPC
internal import Schema
internal import Wire

/// The messages of a call that streams its responses. Where they carry a cursor, a call that breaks off is made again from
/// there, so that whoever reads does not notice.
// Confined to its gateway's event loop.
final class ResumableStream: @unchecked Sendable {
  /// A message, and its place in the stream; empty when it has none.
  struct Item {
    let payload: [UInt8]
    let cursor: String
  }

  private let loop: EventLoop
  private let timing: StreamTiming
  private let pool: RPCPool
  private let route: Route
  private let options: CallOptions
  /// Makes the request that goes on behind a cursor; nil for the first.
  private let request: (String?) throws(Problem) -> [UInt8]
  /// When the client wants no more; nil when it wants all.
  private let end: LoopInstant?
  /// Until when it is known who the client is; nil when nobody asks.
  private let expiry: LoopInstant?
  private let cursorField: FieldDescriptor?
  private var call: StreamingCall<RawMessage, RawMessage>?
  private var began = LoopInstant(nanoseconds: 0)
  private var cursor: String?
  private var isTakenUp = false
  /// When the call is made again.
  private var retryAt: LoopInstant?
  private var failingSince: LoopInstant?
  private var pause: Duration

  /// A stream of `route`, whose call is made when the first message is asked for.
  init(
    loop: EventLoop, timing: StreamTiming, pool: RPCPool, route: Route, options: CallOptions, end: LoopInstant?,
    expiry: LoopInstant?, request: @escaping (String?) throws(Problem) -> [UInt8]
  ) {
    self.loop = loop
    self.timing = timing
    self.pool = pool
    self.route = route
    self.options = options
    self.end = end
    self.expiry = expiry
    self.request = request
    let messages = route.translator.schemas.messages
    cursorField = messages[route.method.request].cursor == nil ? nil : messages[route.method.response].cursor
    pause = timing.pauses.lowerBound
  }

  /// The client has been promised the stream: from now on it is taken up when it breaks off.
  func takeUp() { isTakenUp = true }

  /// The next message, when it comes in time.
  ///
  /// - Throws: ``RPCError``; ``Problem``; `CancellationError`.
  func next(atMost timeout: Duration) async throws -> Arrival<Item> {
    let deadline = loop.now + timeout
    while true {
      if let retryAt {
        let wait = min(retryAt, deadline) - loop.now
        if wait > .zero { try await loop.sleep(for: wait) }
        if loop.now < retryAt { return .nothing }
        self.retryAt = nil
      }
      do {
        let call = try call ?? begin()
        switch try await call.next(atMost: max(deadline - loop.now, .zero)) {
        case .message(let message): return .message(try received(message.bytes))
        case .end: return .end
        case .nothing: return .nothing
        }
      } catch let error as RPCError {
        if let expiry, loop.now >= expiry { throw Self.expired }
        guard resumes(after: error) else { throw error }
      }
    }
  }

  private func begin() throws -> StreamingCall<RawMessage, RawMessage> {
    let method = MethodReference<RawMessage, RawMessage>(
      id: route.method.id, name: route.method.fullName, isIdempotent: route.method.isIdempotent, responseIsStream: true)
    var options = options
    let ends = [end, expiry].compactMap { $0.map { max($0 - loop.now, .milliseconds(1)) } }
    options.timeout = min(CallOptions.timeoutMax, ends.min() ?? CallOptions.timeoutMax)
    let call = pool.stream(method, RawMessage(try request(cursor)), options)
    began = loop.now
    self.call = call
    return call
  }

  private static let expired = RPCError(
    .unauthenticated, "the token of this stream has expired; come back with a new one", reason: "TOKEN_EXPIRED")

  private func received(_ payload: [UInt8]) throws -> Item {
    (failingSince, pause) = (nil, timing.pauses.lowerBound)
    guard let cursorField else { return Item(payload: payload, cursor: "") }
    do {
      let text = try cursorField.text(in: payload.span.bytes, route.translator.schemas)
      if !text.isEmpty { cursor = text }
      return Item(payload: payload, cursor: text)
    } catch {
      throw RPCError(.internal, "the response of \(route.method.fullName) cannot be decoded: \(error)")
    }
  }

  /// Whether the call is made again, and if so, when.
  private func resumes(after error: RPCError) -> Bool {
    guard isTakenUp, cursorField != nil else { return false }
    switch error.code {
    case .unavailable: break
    // A call does not last for ever, and a stream may.
    case .deadlineExceeded where end == nil: break
    default: return false
    }
    if loop.now - began > timing.soundAfter { (failingSince, pause) = (nil, timing.pauses.lowerBound) }
    failingSince = failingSince ?? loop.now
    if let failingSince, loop.now - failingSince > timing.patience { return false }
    call = nil
    retryAt = loop.now + pause * Double.random(in: 0.5...1)
    pause = min(pause * 2, timing.pauses.upperBound)
    return true
  }
}
