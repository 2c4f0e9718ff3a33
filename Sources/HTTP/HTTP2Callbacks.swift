internal import CNGHTTP2

/// Joins nghttp2's callbacks to the session that they are about.
enum HTTP2Callbacks {
  // Set up once, and never changed after; nghttp2 copies it.
  nonisolated(unsafe) static let shared: OpaquePointer = {
    var pointer: OpaquePointer?
    guard nghttp2_session_callbacks_new(&pointer) == 0, let callbacks = pointer else {
      fatalError("nghttp2 has no memory")
    }
    setFrameCallbacks(callbacks)
    setFieldCallbacks(callbacks)
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, bytes, count, owner in
      HTTP2Session.of(owner).dataReceived(stream: stream, UnsafeRawBufferPointer(start: bytes, count: count).bytes)
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, stream, _, owner in
      HTTP2Session.of(owner).streamClosed(stream)
      return 0
    }
    return callbacks
  }()

  // Set up once, and never changed after; nghttp2 copies it.
  nonisolated(unsafe) static let options: OpaquePointer = {
    var pointer: OpaquePointer?
    guard nghttp2_option_new(&pointer) == 0, let options = pointer else { fatalError("nghttp2 has no memory") }
    // Priorities are deprecated (RFC 9113 section 5.3): streams that are over need not be kept for their sake.
    nghttp2_option_set_no_closed_streams(options, 1)
    // A settings frame of ours has four; more than this is a flood.
    nghttp2_option_set_max_settings(options, 32)
    nghttp2_option_set_max_outbound_ack(options, 1_000)
    return options
  }()

  /// Gives nghttp2 what is next of a response's body.
  static let readOutput: nghttp2_data_source_read_callback = { _, stream, buffer, capacity, flags, _, owner in
    switch HTTP2Session.of(owner).takeOutput(stream: stream, capacity: capacity) {
    case .bytes(let bytes, let isLast):
      bytes.withUnsafeBufferPointer { bytes in
        if let start = bytes.baseAddress { buffer!.update(from: start, count: bytes.count) }
      }
      if isLast { flags!.pointee |= UInt32(NGHTTP2_DATA_FLAG_EOF.rawValue) }
      return bytes.count
    case .later: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    // Resets the stream with INTERNAL_ERROR.
    case .failed: return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    }
  }

  private static func setFrameCallbacks(_ callbacks: OpaquePointer) {
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, owner in
      HTTP2Session.of(owner).frameBegan(header!.pointee)
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, owner in
      HTTP2Session.of(owner).frameReceived(frame!.pointee)
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, owner in
      HTTP2Session.of(owner).frameSent(frame!.pointee.hd)
      return 0
    }
  }

  private static func setFieldCallbacks(_ callbacks: OpaquePointer) {
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, owner in
      HTTP2Session.of(owner).headersBegan(frame!.pointee)
      return 0
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, frame, name, nameCount, value, valueCount, _, owner in
      let goesOn = HTTP2Session.of(owner).fieldReceived(
        frame!.pointee, UnsafeRawBufferPointer(start: name, count: nameCount).bytes,
        UnsafeRawBufferPointer(start: value, count: valueCount).bytes)
      return goesOn ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }
    // nghttp2 would only leave the field out, and another reader might not.
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, frame, _, _, _, _, _, owner in
      HTTP2Session.of(owner).malformedFieldReceived(stream: frame!.pointee.hd.stream_id)
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }
  }
}

extension HTTP2Session {
  fileprivate static func of(_ owner: UnsafeMutableRawPointer?) -> HTTP2Session {
    Unmanaged<HTTP2Session>.fromOpaque(owner!).takeUnretainedValue()
  }
}
