internal import CNGHTTP2

/// nghttp2's view of one connection, the server's side: bytes in, events out; responses in, bytes out. No I/O, no time.
///
/// Streams and their flow control, HPACK and the order of frames are the library's (RFC 9113 sections 4 to 6). What a
/// request must be beyond that is checked by ``HTTP2HeadBuilder``; what a client may make us do by ``HTTP2FloodMeter``.
// Confined to the event loop of its connection.
final class HTTP2Session {
  /// Why a stream or a connection ends (RFC 9113 section 7).
  enum ErrorCode: UInt32 {
    case noError = 0
    case protocolError = 1
    case internalError = 2
    case refusedStream = 7
    case cancel = 8
    case enhanceYourCalm = 11
  }

  /// What a client may send of one body before it must wait for us to take it, in bytes.
  private static let streamWindow: Int32 = 256 * 1024
  /// The same for all bodies of the connection.
  private static let connectionWindow: Int32 = 1 << 20

  let limits: HTTPLimits
  private(set) var session: OpaquePointer?
  /// What happened since the last look, in order.
  private(set) var events: [HTTP2Event] = []
  private(set) var streams: [Int32: HTTP2Stream] = [:]
  private var meter = HTTP2FloodMeter()
  /// Whether the client has sent its preface and its first settings.
  private(set) var isGreeted = false
  /// Whether a header block has begun and not ended.
  private(set) var isInHeaderBlock = false
  private var isTerminated = false
  /// Whether the library cannot go on, for want of memory.
  private var isBroken = false
  /// Bytes of bodies, in and out, that streams hold.
  private(set) var heldBytes = 0
  /// Those of them that are responses'.
  private(set) var responseBytes = 0
  /// The same of all connections: bodies of requests, and of responses.
  private let (held, heldResponses): (HeldBytes, HeldBytes)
  var fields = HTTP2ResponseFields()

  /// A session at the beginning of a connection; it has something to send at once.
  init(
    limits: HTTPLimits, held: HeldBytes = HeldBytes(max: .max), heldResponses: HeldBytes = HeldBytes(max: .max)
  ) {
    self.limits = limits
    (self.held, self.heldResponses) = (held, heldResponses)
    let code = nghttp2_session_server_new2(
      &session, HTTP2Callbacks.shared, Unmanaged.passUnretained(self).toOpaque(), HTTP2Callbacks.options)
    guard code == 0 else { fatalError("nghttp2 has no memory for a connection") }
    var settings = [
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: UInt32(limits.streamsMax)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(Self.streamWindow)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), value: UInt32(limits.headBytesMax)),
    ]
    nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), &settings, settings.count)
    nghttp2_session_set_local_window_size(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, Self.connectionWindow)
  }

  deinit {
    held.add(responseBytes - heldBytes)
    heldResponses.add(-responseBytes)
    nghttp2_session_del(session)
  }

  /// Takes bytes of the client.
  func receive(_ bytes: borrowing RawSpan) {
    if isTerminated { return }
    let code = bytes.withUnsafeBytes {
      nghttp2_session_mem_recv(session, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), $0.count)
    }
    if code < 0 {
      let isFlood = code == Int(NGHTTP2_ERR_FLOODED.rawValue)
      terminate(isFlood ? .enhanceYourCalm : .protocolError)
    } else if meter.isExceeded {
      terminate(.enhanceYourCalm)
    }
  }

  /// Counts bytes that a stream holds; until ``release(_:)``.
  func hold(_ count: Int, for stream: HTTP2Stream) {
    heldBytes += count
    held.add(count)
    stream.heldBytes += count
  }

  /// Counts bytes of a response. They are a count of their own: clients that do not read refuse nobody's requests.
  func holdResponse(_ count: Int, for stream: HTTP2Stream) {
    heldBytes += count
    responseBytes += count
    heldResponses.add(count)
    stream.responseBytes += count
  }

  /// A stream holds nothing any more.
  func release(_ stream: HTTP2Stream) {
    heldBytes -= stream.heldBytes + stream.responseBytes
    responseBytes -= stream.responseBytes
    held.add(-stream.heldBytes)
    heldResponses.add(-stream.responseBytes)
    (stream.heldBytes, stream.responseBytes) = (0, 0)
  }

  /// Takes the events that came since the last call.
  func takeEvents() -> [HTTP2Event] {
    let taken = events
    events.removeAll()
    return taken
  }

  /// Whether nothing more comes or goes: the connection can be closed.
  var isOver: Bool {
    isBroken || nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0
  }

  /// Whether there is something to send now.
  var wantsToSend: Bool { !isBroken && nghttp2_session_want_write(session) != 0 }

  /// Adds what is to be sent, until `output` has `bytesMax` bytes or a frame more.
  func appendOutput(to output: inout [UInt8], bytesMax: Int) {
    while output.count < bytesMax {
      var bytes: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &bytes)
      if count < 0 { isBroken = true }
      guard count > 0, let bytes else { return }
      output.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
    }
  }

  /// Time went by, in seconds.
  func elapsed(seconds: Double) { meter.elapsed(seconds: seconds) }

  // MARK: - The connection's end

  /// Tells the client that the connection will end; requests on their way are still taken (RFC 9113 section 6.8).
  func announceEnd() {
    nghttp2_submit_shutdown_notice(session)
    nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
  }

  /// Takes no request after those that have come; the connection is over when they are answered.
  func leave() {
    nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
      ErrorCode.noError.rawValue, nil, 0)
  }

  /// Ends the connection with an error: what was not answered never will be.
  func terminate(_ code: ErrorCode) {
    if isTerminated { return }
    isTerminated = true
    nghttp2_session_terminate_session(session, code.rawValue)
  }

  // MARK: - What callbacks tell

  func frameBegan(_ header: nghttp2_frame_hd) {
    isInHeaderBlock =
      header.type == UInt8(NGHTTP2_HEADERS.rawValue) || header.type == UInt8(NGHTTP2_CONTINUATION.rawValue)
    let isAcknowledgement = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
    switch nghttp2_frame_type(UInt32(header.type)) {
    case NGHTTP2_HEADERS, NGHTTP2_DATA, NGHTTP2_CONTINUATION, NGHTTP2_GOAWAY: break
    case NGHTTP2_SETTINGS where !isAcknowledgement: meter.spend(5)
    case NGHTTP2_PING, NGHTTP2_SETTINGS: if !isAcknowledgement { meter.spend(1) }
    case NGHTTP2_RST_STREAM: meter.spend(2)
    // Frames of unknown types are skipped by nghttp2, and never get here.
    default: meter.spend(1)
    }
  }

  func frameReceived(_ frame: nghttp2_frame) {
    let header = frame.hd
    let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch nghttp2_frame_type(UInt32(header.type)) {
    case NGHTTP2_SETTINGS: isGreeted = true
    case NGHTTP2_PING where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0: events.append(.pong)
    case NGHTTP2_HEADERS:
      isInHeaderBlock = false
      guard let stream = streams[header.stream_id] else { return }
      if frame.headers.cat == NGHTTP2_HCAT_REQUEST {
        stream.isRequestOpen = !endsStream
        events.append(.head(stream))
      } else if endsStream {
        requestEnded(stream)
      }
    case NGHTTP2_DATA:
      // Data that is all padding, or nothing, keeps us busy and brings nothing.
      if header.length <= frame.data.padlen, !endsStream { meter.spend(5) }
      if endsStream, let stream = streams[header.stream_id] { requestEnded(stream) }
    default: break
    }
  }

  private func requestEnded(_ stream: HTTP2Stream) {
    stream.isRequestOpen = false
    events.append(.requestEnded(stream))
  }

  func headersBegan(_ frame: nghttp2_frame) {
    guard frame.headers.cat == NGHTTP2_HCAT_REQUEST else { return }
    streams[frame.hd.stream_id] = HTTP2Stream(id: frame.hd.stream_id, limits: limits)
  }

  /// - Returns: whether to go on; if not, the stream is reset.
  func fieldReceived(_ frame: nghttp2_frame, _ name: borrowing RawSpan, _ value: borrowing RawSpan) -> Bool {
    guard let stream = streams[frame.hd.stream_id] else { return true }
    if frame.headers.cat == NGHTTP2_HCAT_REQUEST {
      stream.head.add(name, value)
    } else {
      stream.trailerBytes += name.byteCount + value.byteCount
    }
    let listBytes = max(stream.head.listBytes, stream.trailerBytes)
    // Somebody who goes on so far beyond what was announced means no good: a few bytes can stand for a long list.
    if listBytes > 4 * limits.headBytesMax { terminate(.enhanceYourCalm) }
    return stream.trailerBytes <= limits.headBytesMax
  }

  func malformedFieldReceived(stream: Int32) { reset(stream, .protocolError) }

  func dataReceived(stream id: Int32, _ bytes: borrowing RawSpan) {
    guard let stream = streams[id], !stream.isRequestDropped else { return }
    hold(bytes.byteCount, for: stream)
    if stream.body.count + bytes.byteCount > limits.bodyBytesMax {
      refuseBody(stream, .bodyTooLarge(limits.bodyBytesMax))
    } else if heldBytes > limits.heldBytesMax {
      refuseBody(stream, .overloaded("This connection has too many requests under way."))
    } else if held.isExceeded {
      refuseBody(stream, .tooManyBodies)
    } else {
      stream.body.append(bytes, 0..<bytes.byteCount)
    }
  }

  private func refuseBody(_ stream: HTTP2Stream, _ refusal: HTTPRefusal) {
    stream.isRequestDropped = true
    stream.body = []
    release(stream)
    events.append(.bodyRefused(stream, refusal))
  }

  func frameSent(_ header: nghttp2_frame_hd) {
    let type = nghttp2_frame_type(UInt32(header.type))
    // Each is answer to something wrong that the client sent, or refuses what was too much.
    if type == NGHTTP2_RST_STREAM { meter.spend(2) }
    if type == NGHTTP2_DATA, header.length >= 1_024 { meter.earn(1) }
    guard type == NGHTTP2_HEADERS || type == NGHTTP2_DATA,
      header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    else { return }
    meter.earn(4)
    streams[header.stream_id]?.isAnswered = true
  }

  func streamClosed(_ id: Int32) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    stream.isClosed = true
    events.append(.closed(stream))
  }

  /// What is next of a response's body.
  func takeOutput(stream id: Int32, capacity: Int) -> HTTP2Output.Piece {
    guard let stream = streams[id] else { return .failed }
    let piece = stream.output.take(capacity)
    if case .bytes(let bytes, _) = piece {
      stream.sentBytes += bytes.count
      stream.writer?.wake()
    }
    return piece
  }
}
