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
  /// The stream is over; nothing can be sent.
  var isClosed = false
  /// What waits to be sent of the response's body.
  var output = HTTP2Output()
  /// Whether some of `output` was sent since this was last looked at.
  var hasProgressed = false

  /// The request's head, while its body is awaited.
  var requestHead: RequestHead?
  /// Whether the response has no body because the request was HEAD.
  var isHead = false
  /// When the whole body must be there.
  var bodyDeadline: LoopInstant?
  /// When it was last seen that something was sent, while something waits.
  var lastProgress: LoopInstant?
  /// The handler's task, until it has answered.
  var task: Task<Void, Never>?
  var hasAnswered = false
  /// Where the response's producer writes, while it runs.
  var writer: HTTPBodyWriter?
  /// What counts of this stream towards `HTTPLimits.heldBytesMax`.
  var heldBytes = 0

  init(id: Int32, limits: HTTPLimits) {
    self.id = id
    head = HTTP2HeadBuilder(limits: limits)
  }
}

/// The part of a response's body that waits for the client's windows.
struct HTTP2Output {
  private var bytes: [UInt8] = []
  private var sentCount = 0
  /// Whether everything was appended.
  private(set) var isWhole = false

  /// Bytes that wait.
  var count: Int { bytes.count - sentCount }

  /// All of a body that is there as a whole.
  init(whole body: [UInt8]) {
    bytes = body
    isWhole = true
  }

  /// The beginning of a body that is made while it is sent.
  init() {}

  mutating func append(_ piece: ArraySlice<UInt8>) {
    if sentCount > 0 {
      bytes.removeFirst(sentCount)
      sentCount = 0
    }
    bytes.append(contentsOf: piece)
  }

  mutating func end() { isWhole = true }

  /// Takes up to `capacity` bytes from the front.
  mutating func take(_ capacity: Int) -> ArraySlice<UInt8> {
    let taken = bytes[sentCount...].prefix(capacity)
    sentCount = taken.endIndex
    if sentCount == bytes.count { release() }
    return taken
  }

  /// Lets go of what was sent.
  private mutating func release() {
    bytes = []
    sentCount = 0
  }
}
