internal import CNGHTTP2

/// Responses on their way to the client.
extension HTTP2Session {
  /// Ends a stream early.
  func reset(_ stream: Int32, _ code: ErrorCode) {
    nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream, code.rawValue)
  }

  /// Asks for the body of a request whose client waits for that (RFC 9110 section 15.2.1).
  func askForBody(_ stream: HTTP2Stream) {
    fields.begin(status: 100)
    fields.withFields {
      _ = nghttp2_submit_headers(
        session, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, nil, $0.baseAddress, $0.count, nil)
    }
  }

  /// Begins a response whose body is what is appended to the stream's output; `hasBody` is false where there is none.
  func respond(_ stream: HTTP2Stream, _ response: HTTPResponse, date: ArraySlice<UInt8>, hasBody: Bool) {
    fields.begin(status: response.status.code)
    fields.append("date", date)
    fields.append(response.fields)
    if case .bytes(let body) = response.content, !response.status.forbidsBody {
      fields.append("content-length", Array(String(body.count).utf8)[...])
    }
    var provider = nghttp2_data_provider()
    provider.read_callback = HTTP2Callbacks.readOutput
    fields.withFields { fields in
      withUnsafePointer(to: provider) { provider in
        _ = nghttp2_submit_response(session, stream.id, fields.baseAddress, fields.count, hasBody ? provider : nil)
      }
    }
  }

  /// More of a body, or its end, was appended to the stream's output.
  func outputAppended(_ stream: HTTP2Stream) { nghttp2_session_resume_data(session, stream.id) }
}

/// The fields of a response as nghttp2 takes them: names in lower case, without those of a connection (RFC 9113
/// section 8.2.2). Its arrays are used again for the next response.
struct HTTP2ResponseFields {
  private var text: [UInt8] = []
  private var extents: [(name: Range<Int>, value: Range<Int>)] = []

  /// Begins the fields of a response.
  mutating func begin(status: Int) {
    text.removeAll(keepingCapacity: true)
    extents.removeAll(keepingCapacity: true)
    append(":status", Array(String(status).utf8)[...])
  }

  mutating func append(_ name: String, _ value: ArraySlice<UInt8>) { append(Array(name.utf8)[...], value) }

  /// Adds the fields that a handler has set.
  mutating func append(_ fields: HTTPFields) {
    for entry in fields.entries {
      let name = fields.text[entry.name.range]
      if !Self.isOfConnection(name) { append(name, fields.text[entry.value.range]) }
    }
  }

  private mutating func append(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
    let start = text.count
    for byte in name { text.append(byte &- 0x41 < 26 ? byte | 0x20 : byte) }
    let middle = text.count
    text.append(contentsOf: value)
    extents.append((start..<middle, middle..<text.count))
  }

  private static func isOfConnection(_ name: ArraySlice<UInt8>) -> Bool {
    ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"].contains {
      name.equalsIgnoringCase($0)
    }
  }

  /// Runs `body` with the fields, which nghttp2 copies.
  mutating func withFields(_ body: (UnsafeMutableBufferPointer<nghttp2_nv>) -> Void) {
    text.withUnsafeMutableBufferPointer { text in
      let base = text.baseAddress!
      var fields = extents.map { extent in
        nghttp2_nv(
          name: base + extent.name.lowerBound, value: base + extent.value.lowerBound, namelen: extent.name.count,
          valuelen: extent.value.count, flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
      }
      fields.withUnsafeMutableBufferPointer { body($0) }
    }
  }
}
