internal import EventLoop

/// One request of an HTTP/2 connection, and its response.
///
/// The session fills in what comes from the client and takes what goes to it; the connection does the rest.
// Confined to the event loop of its connection.
final class HTTP2Stream: @unchecked Sendable {
  let id: Int32
  var head: HTTP2HeadBuilder
  /// What has come of the request's body.
  var body: [UInt8] = []
  /// Whether more of the request may come.
  var isRequestOpen = true
  /// What still comes of the request is dropped: its answer is decided.
  var isRequestDropped = false
  /// Bytes of trailers, which are ignored.
  var trailerBytes = 0
  /// The whole response is out.
  var isAnswered = false
  /// The stream is over; nothing can be sent.
  var isClosed = false
  /// What waits to be sent of the response's body.
  var output = HTTP2Output()
  /// What of `output` was sent since `lastProgress`.
  var sentBytes = 0

  /// The request's head, while its body is awaited.
  var requestHead: RequestHead?
  /// Whether the response has no body because the request was HEAD.
  var isHead = false
  /// When the whole body must be there.
  var bodyDeadline: LoopInstant?
  /// Until when a client that was answered early may notice that.
  var lingerDeadline: LoopInstant?
  /// When enough was sent the last time, while something waits.
  var lastProgress: LoopInstant?
  /// The handler's task, until it has answered.
  var task: Task<Void, Never>?
  var hasAnswered = false
  /// Where the response's producer writes, while it runs.
  var writer: HTTPBodyWriter?
  /// What counts of this stream towards `HTTPLimits.heldBytesMax`.
  var heldBytes = 0
  /// The same of its response.
  var responseBytes = 0

  init(id: Int32, limits: HTTPLimits) {
    self.id = id
    head = HTTP2HeadBuilder(limits: limits)
  }
}
