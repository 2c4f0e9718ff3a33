/// The requests of one connection, found in its bytes: bytes in, events out, no I/O.
///
/// A head that arrives in one piece is copied once, straight from the read; only what is cut in half is kept.
struct RequestParser {
  /// What the bytes brought.
  enum Event {
    /// All bytes are taken; the next request is not complete.
    case needsBytes
    /// The client waits for `100 Continue` before it sends the body.
    case expectsContinue
    case request(RequestHead, body: [UInt8])
  }

  /// Where in a request the bytes ended.
  enum Phase: Equatable {
    /// Nothing of the next request has arrived.
    case idle
    case head
    case body
  }

  /// Space for a body that is promised and not seen: a client that promises and does not send must not hold more.
  private static let reservedBytesMax = 64 * 1024

  private enum State {
    case head(HeadScanner, [UInt8])
    case length(RequestHead, left: Int, body: [UInt8])
    case chunked(RequestHead, ChunkedDecoder)
    /// A request was refused: what follows cannot be understood.
    case refused
  }

  private let limits: HTTPLimits
  private var state: State

  /// A parser at the beginning of a connection.
  init(limits: HTTPLimits) {
    self.limits = limits
    state = .head(HeadScanner(limits: limits), [])
  }

  var phase: Phase {
    switch state {
    case .head(let scanner, _): scanner.count == 0 ? .idle : .head
    case .length, .chunked: .body
    case .refused: .idle
    }
  }

  /// Bytes of the body that has come so far.
  var bodyBytes: Int {
    switch state {
    case .length(_, _, let body): body.count
    case .chunked(_, let decoder): decoder.body.count
    case .head, .refused: 0
    }
  }

  /// Takes bytes from `position` on, up to the first event, and moves `position` past them.
  ///
  /// - Throws: a refusal; the parser takes no more bytes after it.
  mutating func next(_ bytes: borrowing RawSpan, _ position: inout Int) throws(HTTPRefusal) -> Event {
    let current = state
    state = .refused
    switch consume current {
    case .head(let scanner, let kept):
      return try head(bytes, &position, scanner, kept)
    case .length(let head, let left, let body):
      return lengthBody(bytes, &position, head, left, body)
    case .chunked(let head, let decoder):
      return try chunkedBody(bytes, &position, head, decoder)
    case .refused:
      position = bytes.byteCount
      return .needsBytes
    }
  }

  private mutating func head(
    _ bytes: borrowing RawSpan, _ position: inout Int, _ scanner: consuming HeadScanner, _ kept: consuming [UInt8]
  ) throws(HTTPRefusal) -> Event {
    let start = position
    guard let end = try scanner.scan(bytes, from: start) else {
      position = bytes.byteCount
      kept.append(bytes, start..<position)
      state = .head(scanner, kept)
      return .needsBytes
    }
    position = end
    kept.append(bytes, start..<end)
    if scanner.hasLeadingEmptyLine { kept.removeFirst(2) }
    let head = try RequestHead(parsing: kept)
    switch head.framing {
    case .none:
      state = .head(HeadScanner(limits: limits), [])
      return .request(head, body: [])
    case .length(let length):
      if length > limits.bodyBytesMax { throw .bodyTooLarge(limits.bodyBytesMax) }
      var body: [UInt8] = []
      body.reserveCapacity(min(length, Self.reservedBytesMax))
      state = .length(head, left: length, body: body)
    case .chunked:
      state = .chunked(head, ChunkedDecoder(bytesMax: limits.bodyBytesMax))
    }
    if head.expectsContinue, position == bytes.byteCount { return .expectsContinue }
    return try next(bytes, &position)
  }

  private mutating func lengthBody(
    _ bytes: borrowing RawSpan, _ position: inout Int, _ head: RequestHead, _ left: Int, _ body: consuming [UInt8]
  ) -> Event {
    let taken = min(left, bytes.byteCount - position)
    body.append(bytes, position..<position + taken)
    position += taken
    if taken < left {
      state = .length(head, left: left - taken, body: body)
      return .needsBytes
    }
    state = .head(HeadScanner(limits: limits), [])
    return .request(head, body: body)
  }

  private mutating func chunkedBody(
    _ bytes: borrowing RawSpan, _ position: inout Int, _ head: RequestHead, _ decoder: consuming ChunkedDecoder
  ) throws(HTTPRefusal) -> Event {
    guard let end = try decoder.decode(bytes, from: position) else {
      position = bytes.byteCount
      state = .chunked(head, decoder)
      return .needsBytes
    }
    position = end
    state = .head(HeadScanner(limits: limits), [])
    return .request(head, body: decoder.body)
  }
}
