internal import CWslay

/// wslay's view of one WebSocket, the server's side (RFC 6455): bytes in, events out; messages in, bytes out. No I/O, no
/// time.
///
/// Frames, masks, control frames in between and UTF-8 are the library's. Messages are put together here: wslay would
/// allocate what a frame announces, and something for each frame however small.
// Confined to the event loop of its connection.
final class WebSocketSession {
  /// What came.
  enum Event: Equatable {
    case message(WebSocketMessage)
    /// The peer closes, with this code; no message comes after that.
    case closed(code: UInt16, reason: String)
  }

  private let messageBytesMax: Int
  private var context: wslay_event_context_ptr?
  private var frames = WebSocketFrames()
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  private var message: [UInt8] = []
  private var opcode: UInt8 = 0
  /// Whether the peer broke the protocol in a way that wslay does not see.
  private var hasFailed = false
  private(set) var events: [Event] = []
  /// What is to be sent, in order.
  var output: [UInt8] = []

  /// A session whose peer may send messages of so many bytes at most.
  init(messageBytesMax: Int) {
    self.messageBytesMax = messageBytesMax
    var callbacks = WebSocketCallbacks.all
    let owner = Unmanaged.passUnretained(self).toOpaque()
    guard wslay_event_context_server_init(&context, &callbacks, owner) == 0 else {
      fatalError("wslay has no memory for a connection")
    }
    wslay_event_config_set_no_buffering(context, 1)
    wslay_event_config_set_max_recv_msg_length(context, UInt64(messageBytesMax))
  }

  deinit { wslay_event_context_free(context) }

  /// Takes bytes of the peer.
  func receive(_ bytes: borrowing RawSpan) {
    frames.take(bytes) { read($0) }
    wslay_event_send(context)
  }

  private func read(_ bytes: borrowing RawSpan) {
    bytes.withUnsafeBytes {
      input = $0
      // An error has queued a close frame, and ends reading.
      if wslay_event_recv(context) != 0 { wslay_event_shutdown_read(context) }
      input = UnsafeRawBufferPointer(start: nil, count: 0)
    }
  }

  /// Takes the events that came since the last call.
  func takeEvents() -> [Event] {
    let taken = events
    events.removeAll()
    return taken
  }

  /// Sends a message as a frame.
  func send(_ message: WebSocketMessage) {
    switch message {
    case .text(let text): send(WSLAY_TEXT_FRAME, Array(text.utf8))
    case .binary(let bytes): send(WSLAY_BINARY_FRAME, bytes)
    }
  }

  /// Asks whether the peer is there.
  func ping() { send(WSLAY_PING, []) }

  /// Says that nothing more comes; a reason of more than 123 bytes is cut. Does nothing when it was said before.
  func close(code: UInt16, reason: String) {
    var reason = reason
    while reason.utf8.count > 123 { reason.removeLast() }
    let bytes = Array(reason.utf8)
    wslay_event_queue_close(context, code, bytes, bytes.count)
    wslay_event_send(context)
  }

  /// Whether messages can be sent.
  var isOpen: Bool { wslay_event_get_write_enabled(context) != 0 }

  /// Whether we have said that nothing more comes; when the peer has too, the connection is over.
  var hasSentClose: Bool { wslay_event_get_close_sent(context) != 0 }
  var hasReceivedClose: Bool { wslay_event_get_close_received(context) != 0 }
  /// Whether anything more is taken from the peer.
  var isReading: Bool { wslay_event_get_read_enabled(context) != 0 }
  /// The code that we closed with.
  var sentCode: UInt16 { wslay_event_get_status_code_sent(context) }

  private func send(_ opcode: wslay_opcode, _ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { buffer in
      var frame = wslay_event_msg(
        opcode: UInt8(opcode.rawValue), msg: buffer.baseAddress, msg_length: buffer.count)
      wslay_event_queue_msg(context, &frame)
    }
    wslay_event_send(context)
  }

  // MARK: - What callbacks tell

  fileprivate func takeInput(_ buffer: UnsafeMutablePointer<UInt8>, _ capacity: Int) -> Int {
    let count = min(capacity, input.count)
    guard count > 0, let start = input.baseAddress else {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK.rawValue)
      return -1
    }
    UnsafeMutableRawPointer(buffer).copyMemory(from: start, byteCount: count)
    input = UnsafeRawBufferPointer(rebasing: input[count...])
    return count
  }

  fileprivate func appendOutput(_ bytes: UnsafeBufferPointer<UInt8>) { output.append(contentsOf: bytes) }

  fileprivate func frameBegan(opcode: UInt8, count: UInt64) {
    self.opcode = opcode
    // A close frame has a code, or nothing (RFC 6455 section 5.5.1).
    if opcode == UInt8(WSLAY_CONNECTION_CLOSE.rawValue), count == 1 { fail(WSLAY_CODE_PROTOCOL_ERROR) }
    let isControlFrame = opcode & 0x8 != 0
    if !isControlFrame, UInt64(message.count) + count > UInt64(messageBytesMax) { fail(WSLAY_CODE_MESSAGE_TOO_BIG) }
  }

  fileprivate func payloadReceived(_ bytes: UnsafeBufferPointer<UInt8>) {
    if isReading, opcode & 0x8 == 0 { message.append(contentsOf: bytes) }
  }

  fileprivate func messageReceived(_ argument: wslay_event_on_msg_recv_arg) {
    let isClose = argument.opcode == UInt8(WSLAY_CONNECTION_CLOSE.rawValue)
    guard isReading || isClose && !hasFailed else { return }
    let whole = message
    switch wslay_opcode(UInt32(argument.opcode)) {
    case WSLAY_TEXT_FRAME: events.append(.message(.text(String(decoding: whole, as: UTF8.self))))
    case WSLAY_BINARY_FRAME: events.append(.message(.binary(whole)))
    case WSLAY_CONNECTION_CLOSE:
      let bytes = UnsafeBufferPointer(start: argument.msg, count: argument.msg_length).dropFirst(2)
      let code = argument.status_code == 0 ? UInt16(WSLAY_CODE_NO_STATUS_RCVD.rawValue) : argument.status_code
      return events.append(.closed(code: code, reason: String(decoding: bytes, as: UTF8.self)))
    default: return
    }
    message = []
  }

  private func fail(_ code: wslay_status_code) {
    hasFailed = true
    wslay_event_shutdown_read(context)
    wslay_event_queue_close(context, UInt16(code.rawValue), nil, 0)
    message = []
  }
}

/// Joins wslay's callbacks to the session that they are about.
private enum WebSocketCallbacks {
  static var all: wslay_event_callbacks {
    var callbacks = wslay_event_callbacks()
    callbacks.recv_callback = { _, buffer, capacity, _, owner in
      WebSocketSession.of(owner).takeInput(buffer!, capacity)
    }
    callbacks.send_callback = { _, bytes, count, _, owner in
      WebSocketSession.of(owner).appendOutput(UnsafeBufferPointer(start: bytes, count: count))
      return count
    }
    callbacks.on_frame_recv_start_callback = { _, frame, owner in
      WebSocketSession.of(owner).frameBegan(opcode: frame!.pointee.opcode, count: frame!.pointee.payload_length)
    }
    callbacks.on_frame_recv_chunk_callback = { _, chunk, owner in
      WebSocketSession.of(owner).payloadReceived(
        UnsafeBufferPointer(start: chunk!.pointee.data, count: chunk!.pointee.data_length))
    }
    callbacks.on_msg_recv_callback = { _, message, owner in
      WebSocketSession.of(owner).messageReceived(message!.pointee)
    }
    return callbacks
  }
}

extension WebSocketSession {
  fileprivate static func of(_ owner: UnsafeMutableRawPointer?) -> WebSocketSession {
    Unmanaged<WebSocketSession>.fromOpaque(owner!).takeUnretainedValue()
  }
}
