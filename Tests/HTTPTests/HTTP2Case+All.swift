/// The cases, by section of RFC 9113, and of RFC 7541 where that is named.
extension HTTP2Case {
  private typealias Wire = HTTP2Wire
  private typealias Kind = HTTP2Wire.Kind

  private static let protocolError: UInt32 = 1
  private static let flowControlError: UInt32 = 3
  private static let streamClosed: UInt32 = 5
  private static let frameSizeError: UInt32 = 6
  private static let compressionError: UInt32 = 9
  private static let calm: UInt32 = 11

  static let generic = [
    HTTP2Case("5: a request", Wire.get(), .status(1, 200)),
    HTTP2Case("5: a request with a body", Wire.post() + Wire.data(1, [1, 2], ends: true), .status(1, 200)),
    HTTP2Case("5: a request in CONTINUATION frames", split(Wire.request(), 3, ends: true), .status(1, 200)),
    HTTP2Case(
      "6.1: padded data", Wire.post() + Wire.frame(Kind.data, Wire.padded | 1, 1, [3, 1, 0, 0, 0]), .status(1, 200)),
    HTTP2Case(
      "6.2: padded headers",
      Wire.frame(Kind.headers, Wire.padded | 5, 1, [2] + Wire.request() + [0, 0]), .status(1, 200)),
    HTTP2Case(
      "6.2: headers with a priority",
      Wire.frame(Kind.headers, Wire.hasPriority | 5, 1, [0, 0, 0, 0, 7] + Wire.request()), .status(1, 200)),
    HTTP2Case("6.3: a priority of an idle stream", Wire.frame(Kind.priority, 0, 3, [0, 0, 0, 0, 7]), .goesOn),
    HTTP2Case("4.1: a frame of an unknown type", Wire.frame(0x42, 0xFF, 0, [1, 2, 3]), .goesOn),
    HTTP2Case("4.1: flags that mean nothing", Wire.frame(Kind.ping, 0xFE, 0, [UInt8](repeating: 1, count: 8)), .goesOn),
    HTTP2Case("4.1: the reserved bit", Wire.frame(Kind.windowUpdate, 0, 1 << 31, [0, 0, 0, 1]), .goesOn),
    HTTP2Case("6.5: an unknown setting", Wire.frame(Kind.settings, 0, 0, Wire.setting(0xFF, 1)), .goesOn),
    HTTP2Case("6.9: a window update", Wire.frame(Kind.windowUpdate, 0, 0, [0, 0, 0, 1]), .goesOn),
    HTTP2Case("8.1: trailers", Wire.post() + trailers(1), .status(1, 200)),
    HTTP2Case("8.1: HEAD has no body", Wire.frame(Kind.headers, 5, 1, Wire.request("HEAD")), .status(1, 200)),
    HTTP2Case("8.3.1: OPTIONS *", Wire.frame(Kind.headers, 5, 1, Wire.request("OPTIONS", "*")), .status(1, 200)),
    HTTP2Case("8.2.3: cookies in pieces", Wire.get(1, "/", [("cookie", "a=b"), ("cookie", "c=d")]), .status(1, 200)),
    HTTP2Case("8.2.2: TE with trailers", Wire.get(1, "/", [("te", "trailers")]), .status(1, 200)),
  ]

  static let framing = [
    HTTP2Case(
      "4.2: a frame that is too long", Wire.frame(Kind.data, 0, 1, [UInt8](repeating: 0, count: 16_385)),
      .goAway(frameSizeError)),
    HTTP2Case(
      "4.3: a header block that another frame cuts", opened(Wire.request()) + Wire.ping(), .goAway(protocolError)),
    HTTP2Case(
      "4.3: a header block that another stream cuts", opened(Wire.request()) + Wire.get(3), .goAway(protocolError)),
    HTTP2Case("6.1: data on stream 0", Wire.data(0, [1]), .goAway(protocolError)),
    HTTP2Case("6.1: data on an idle stream", Wire.data(1, [1]), .goAway(protocolError)),
    HTTP2Case(
      "6.1: more padding than data", Wire.post() + Wire.frame(Kind.data, Wire.padded, 1, [9, 1]), .goAway(protocolError)
    ),
    HTTP2Case("6.1: padded, and empty", Wire.post() + Wire.frame(Kind.data, Wire.padded, 1), .error(1)),
    HTTP2Case("6.2: headers on stream 0", Wire.frame(Kind.headers, 5, 0, Wire.request()), .goAway(protocolError)),
    HTTP2Case(
      "6.2: more padding than headers", Wire.frame(Kind.headers, Wire.padded | 5, 1, [200, 0x82]),
      .goAway(protocolError)),
    HTTP2Case("6.3: a priority on stream 0", Wire.frame(Kind.priority, 0, 0, [0, 0, 0, 0, 7]), .goAway(protocolError)),
    HTTP2Case("6.3: a priority of 4 bytes", Wire.frame(Kind.priority, 0, 1, [0, 0, 0, 0]), .error(1)),
    HTTP2Case("6.4: a reset of stream 0", Wire.frame(Kind.reset, 0, 0, [0, 0, 0, 8]), .goAway(protocolError)),
    HTTP2Case("6.4: a reset of an idle stream", Wire.frame(Kind.reset, 0, 1, [0, 0, 0, 8]), .goAway(protocolError)),
    HTTP2Case(
      "6.4: a reset of 3 bytes", Wire.post() + Wire.frame(Kind.reset, 0, 1, [0, 0, 8]), .goAway(frameSizeError)),
    HTTP2Case(
      "6.6: a push", Wire.frame(Kind.pushPromise, 4, 1, [0, 0, 0, 2] + Wire.request()), .goAway(protocolError)),
    HTTP2Case(
      "6.7: a ping on a stream", Wire.frame(Kind.ping, 0, 1, [UInt8](repeating: 0, count: 8)), .goAway(protocolError)),
    HTTP2Case(
      "6.7: a ping of 7 bytes", Wire.frame(Kind.ping, 0, 0, [UInt8](repeating: 0, count: 7)), .goAway(frameSizeError)),
    HTTP2Case(
      "6.8: a GOAWAY on a stream", Wire.frame(Kind.goAway, 0, 1, [UInt8](repeating: 0, count: 8)),
      .goAway(protocolError)),
    HTTP2Case(
      "6.8: a GOAWAY of 7 bytes", Wire.frame(Kind.goAway, 0, 0, [UInt8](repeating: 0, count: 7)),
      .goAway(frameSizeError)),
    HTTP2Case("6.8: a client that goes away", Wire.frame(Kind.goAway, 0, 0, [UInt8](repeating: 0, count: 8)), .end),
    HTTP2Case("6.9: a window update of 0", Wire.frame(Kind.windowUpdate, 0, 0, [0, 0, 0, 0]), .goAway(protocolError)),
    HTTP2Case(
      "6.9: a window update of 0 for a stream", Wire.post() + Wire.frame(Kind.windowUpdate, 0, 1, [0, 0, 0, 0]),
      .error(1)),
    HTTP2Case(
      "6.9: a window update of 3 bytes", Wire.frame(Kind.windowUpdate, 0, 0, [0, 0, 1]), .goAway(frameSizeError)),
    HTTP2Case(
      "6.9: a window update of an idle stream", Wire.frame(Kind.windowUpdate, 0, 1, [0, 0, 0, 1]),
      .goAway(protocolError)),
    HTTP2Case(
      "6.9.1: a window beyond its maximum", Wire.frame(Kind.windowUpdate, 0, 0, [0x7F, 0xFF, 0xFF, 0xFF]),
      .goAway(flowControlError)),
    HTTP2Case(
      "6.9.1: a stream's window beyond its maximum",
      Wire.post() + Wire.frame(Kind.windowUpdate, 0, 1, [0x7F, 0xFF, 0xFF, 0xFF]), .reset(1, flowControlError)),
    HTTP2Case(
      "6.10: a continuation of nothing", Wire.frame(Kind.continuation, 4, 1, Wire.request()), .goAway(protocolError)),
    HTTP2Case(
      "6.10: a continuation of what is over", Wire.post() + Wire.frame(Kind.continuation, 4, 1), .goAway(protocolError)),
    HTTP2Case(
      "6.10: a continuation of another stream", opened(Wire.request()) + Wire.frame(Kind.continuation, 4, 3),
      .goAway(protocolError)),
    HTTP2Case(
      "10.5: continuations without end", opened([]) + (0..<20).flatMap { _ in Wire.frame(Kind.continuation, 0, 1) },
      .end),
  ]

  static let settings = [
    HTTP2Case("6.5: settings on a stream", Wire.frame(Kind.settings, 0, 1), .goAway(protocolError)),
    HTTP2Case("6.5: settings of 5 bytes", Wire.frame(Kind.settings, 0, 0, [0, 3, 0, 0, 0]), .goAway(frameSizeError)),
    HTTP2Case(
      "6.5: an acknowledgement with settings", Wire.frame(Kind.settings, 1, 0, Wire.setting(3, 1)),
      .goAway(frameSizeError)),
    HTTP2Case("6.5.2: ENABLE_PUSH of 2", Wire.frame(Kind.settings, 0, 0, Wire.setting(2, 2)), .goAway(protocolError)),
    HTTP2Case(
      "6.5.2: INITIAL_WINDOW_SIZE too large", Wire.frame(Kind.settings, 0, 0, Wire.setting(4, 1 << 31)),
      .goAway(flowControlError)),
    HTTP2Case(
      "6.5.2: MAX_FRAME_SIZE too small", Wire.frame(Kind.settings, 0, 0, Wire.setting(5, 16_383)),
      .goAway(protocolError)),
    HTTP2Case(
      "6.5.2: MAX_FRAME_SIZE too large", Wire.frame(Kind.settings, 0, 0, Wire.setting(5, 1 << 24)),
      .goAway(protocolError)),
    HTTP2Case(
      "6.5: a hundred settings in a frame",
      Wire.frame(Kind.settings, 0, 0, (0..<100).flatMap { _ in Wire.setting(1, 4_096) }), .end),
  ]

  static let streams = [
    HTTP2Case("5.1.1: a stream of even number", Wire.get(2), .goAway(protocolError)),
    HTTP2Case("5.1.1: a stream of a lower number is over", Wire.get(5) + Wire.get(3), .goesOn),
    HTTP2Case(
      "5.1: data after the end", Wire.post(1, "/slow") + Wire.data(1, [], ends: true) + Wire.data(1, [1]), .error(1)),
    HTTP2Case("5.1: headers after the end", Wire.get(1, "/slow") + Wire.get(1), .error(1)),
    HTTP2Case(
      "5.1: data after a reset", Wire.post() + Wire.frame(Kind.reset, 0, 1, [0, 0, 0, 8]) + Wire.data(1, [1]), .goesOn),
    HTTP2Case(
      "5.3.1: a stream that depends on itself", Wire.frame(Kind.headers, 0x25, 1, [0, 0, 0, 1, 7] + Wire.request()),
      .error(1)),
    HTTP2Case(
      "8.1: trailers that end nothing", Wire.post() + Wire.frame(Kind.headers, 4, 1, Wire.field("a", "b")), .error(1)),
    HTTP2Case(
      "8.1: trailers with a pseudo field", Wire.post() + Wire.frame(Kind.headers, 5, 1, Wire.field(":path", "/")),
      .reset(1, protocolError)),
    HTTP2Case(
      "8.1: trailers with a field of upper case", Wire.post() + Wire.frame(Kind.headers, 5, 1, Wire.field("A", "b")),
      .reset(1, protocolError)),
  ]

  static let requests = [
    malformed("8.2.1: a name in upper case", Wire.request("GET", "/", [("Accept", "x")])),
    malformed("8.2.1: a name with a blank", Wire.request("GET", "/", [("a b", "x")])),
    malformed("8.2.1: a name with a colon", Wire.request("GET", "/", [("a:b", "x")])),
    malformed("8.2.1: an empty name", Wire.request("GET", "/", [("", "x")])),
    malformed("8.2.1: a value with a line feed", Wire.request("GET", "/", [("a", "x\ny: z")])),
    malformed("8.2.1: a value with a carriage return", Wire.request("GET", "/", [("a", "x\r")])),
    malformed("8.2.1: a value with a zero byte", Wire.request("GET", "/", [("a", "x\0")])),
    malformed("8.2.1: a value that begins with a blank", Wire.request("GET", "/", [("a", " x")])),
    malformed("8.2.1: a value that ends with a tab", Wire.request("GET", "/", [("a", "x\t")])),
    malformed("8.2.2: Connection", Wire.request("GET", "/", [("connection", "close")])),
    malformed("8.2.2: Keep-Alive", Wire.request("GET", "/", [("keep-alive", "5")])),
    malformed("8.2.2: Proxy-Connection", Wire.request("GET", "/", [("proxy-connection", "close")])),
    malformed("8.2.2: Transfer-Encoding", Wire.request("GET", "/", [("transfer-encoding", "chunked")])),
    malformed("8.2.2: Upgrade", Wire.request("GET", "/", [("upgrade", "websocket")])),
    malformed("8.2.2: TE with more than trailers", Wire.request("GET", "/", [("te", "gzip")])),
    malformed(
      "8.3: a pseudo field behind the others",
      Wire.list([(":method", "GET"), (":scheme", "http"), ("a", "b"), (":path", "/"), (":authority", "x")])),
    malformed("8.3: an unknown pseudo field", Wire.request("GET", "/", []) + Wire.field(":x", "y")),
    malformed("8.3: a pseudo field of responses", Wire.list([(":status", "200")]) + Wire.request()),
    malformed("8.3.1: a pseudo field twice", Wire.list([(":path", "/")]) + Wire.request()),
    malformed("8.3.1: no method", Wire.list([(":scheme", "http"), (":path", "/"), (":authority", "x")])),
    malformed("8.3.1: no scheme", Wire.list([(":method", "GET"), (":path", "/"), (":authority", "x")])),
    malformed("8.3.1: no path", Wire.list([(":method", "GET"), (":scheme", "http"), (":authority", "x")])),
    malformed("8.3.1: an empty path", Wire.request("GET", "")),
    malformed("8.3.1: a path that is none", Wire.request("GET", "x")),
    malformed("8.3.1: GET *", Wire.request("GET", "*")),
    malformed(
      "8.3.1: neither authority nor Host", Wire.list([(":method", "GET"), (":scheme", "http"), (":path", "/")])),
    HTTP2Case("8.3.1: another Host than the authority", Wire.get(1, "/", [("host", "y")]), .status(1, 400)),
    HTTP2Case("8.3.1: the same Host as the authority", Wire.get(1, "/", [("host", "X")]), .status(1, 200)),
    HTTP2Case(
      "8.3.1: a Host and no authority",
      Wire.frame(
        Kind.headers, 5, 1, Wire.list([(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "x")])),
      .status(1, 200)),
    malformed(
      "8.3.1: an authority with a user",
      Wire.list([(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "u@x")]), 400),
    HTTP2Case("8.3.1: a path with a fragment", Wire.get(1, "/a#b"), .status(1, 400)),
    HTTP2Case("8.3.1: a path with a broken escape", Wire.get(1, "/%4"), .status(1, 400)),
    HTTP2Case(
      "9.1 (9110): a method that nobody knows", Wire.frame(Kind.headers, 5, 1, Wire.request("BREW")), .status(1, 501)),
    HTTP2Case("10.1.1 (9110): an expectation of gold", Wire.post(1, "/", [("expect", "gold")]), .status(1, 417)),
    HTTP2Case(
      "8.1.1: more body than was announced",
      Wire.post(1, "/", [("content-length", "1")]) + Wire.data(1, [1, 2], ends: true), .reset(1, protocolError)),
    HTTP2Case(
      "8.1.1: less body than was announced",
      Wire.post(1, "/", [("content-length", "3")]) + Wire.data(1, [1, 2], ends: true), .reset(1, protocolError)),
    malformed("8.1.1: a length, and no body", Wire.request("GET", "/", [("content-length", "3")])),
    malformed("8.1.1: two lengths", Wire.request("GET", "/", [("content-length", "0"), ("content-length", "0")])),
    malformed("8.1.1: a length that is no number", Wire.request("GET", "/", [("content-length", "+0")])),
    HTTP2Case(
      "431: a list that is too long",
      Wire.get(1, "/", [("a", String(repeating: "a", count: 16_000)), ("b", String(repeating: "b", count: 300))]),
      .status(1, 431)),
    HTTP2Case("431: too many fields", Wire.get(1, "/", (0..<101).map { ("a\($0)", "b") }), .status(1, 431)),
    HTTP2Case("414: a path that is too long", Wire.get(1, "/" + String(repeating: "a", count: 8_000)), .status(1, 414)),
    HTTP2Case("413: a body that is too long", Wire.post(1, "/", [("content-length", "1048577")]), .status(1, 413)),
  ]

  static let hpack = [
    HTTP2Case(
      "7541 2.3.3: an index that is not there", Wire.frame(Kind.headers, 5, 1, [0xFF, 0x7F]), .goAway(compressionError)),
    HTTP2Case("7541 6.1: index 0", Wire.frame(Kind.headers, 5, 1, [0x80]), .goAway(compressionError)),
    HTTP2Case(
      "7541 5.1: an integer without end", Wire.frame(Kind.headers, 5, 1, [UInt8](repeating: 0xFF, count: 20)),
      .goAway(compressionError)),
    HTTP2Case(
      "7541 5.2: a text that is cut off", Wire.frame(Kind.headers, 5, 1, [0, 10, 0x61]), .goAway(compressionError)),
    HTTP2Case(
      "7541 5.2: padding of Huffman code longer than 7 bits", Wire.frame(Kind.headers, 5, 1, [0, 0x81, 0xFF, 0]),
      .goAway(compressionError)),
    HTTP2Case(
      "7541 5.2: padding of Huffman code that is not ones", Wire.frame(Kind.headers, 5, 1, [0, 0x81, 0x18, 0]),
      .goAway(compressionError)),
    HTTP2Case(
      "7541 5.2: the end of text in Huffman code",
      Wire.frame(Kind.headers, 5, 1, [0, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0]), .goAway(compressionError)),
    HTTP2Case(
      "7541 6.3: a table larger than allowed",
      Wire.frame(Kind.headers, 5, 1, Wire.integer(4_097, prefix: 5, first: 0x20) + Wire.request()),
      .goAway(compressionError)),
    HTTP2Case(
      "7541 4.2: a change of the table behind a field", Wire.frame(Kind.headers, 5, 1, [0x82, 0x20]),
      .goAway(compressionError)),
    HTTP2Case("7541 4.2: a table made small", Wire.frame(Kind.headers, 5, 1, [0x20] + Wire.request()), .status(1, 200)),
    HTTP2Case("10.5.1: a few bytes that stand for a long list", bomb, .goAway(calm)),
  ]

  private static func malformed(_ name: String, _ block: [UInt8], _ status: Int? = nil) -> HTTP2Case {
    HTTP2Case(name, Wire.frame(Kind.headers, 5, 1, block), status.map { .status(1, $0) } ?? .reset(1, protocolError))
  }

  private static func opened(_ block: [UInt8]) -> [UInt8] { Wire.frame(Kind.headers, 0, 1, block) }

  private static func trailers(_ stream: UInt32) -> [UInt8] {
    Wire.frame(Kind.headers, 5, stream, Wire.field("checksum", "x"))
  }

  private static func split(_ block: [UInt8], _ pieces: Int, ends: Bool) -> [UInt8] {
    let size = block.count / pieces + 1
    return (0..<pieces).flatMap { piece in
      let part = Array(block.dropFirst(piece * size).prefix(size))
      let flags = piece == pieces - 1 ? Wire.endHeaders : 0
      return piece == 0
        ? Wire.frame(Kind.headers, flags | (ends ? Wire.endStream : 0), 1, part)
        : Wire.frame(Kind.continuation, flags, 1, part)
    }
  }

  /// A field of 4,000 bytes put into the table, and 10,000 times named by its index.
  private static let bomb: [UInt8] = {
    let value = [UInt8](repeating: 0x61, count: 4_000)
    let indexed: [UInt8] = [0x40, 1, 0x61] + Wire.integer(value.count, prefix: 7) + value
    return Wire.frame(Kind.headers, 5, 1, Wire.request() + indexed + [UInt8](repeating: 0xBE, count: 10_000))
  }()
}
