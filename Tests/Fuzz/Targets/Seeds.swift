import Schema
import Wire

@testable import RPC

/// Frames of a short life with a call of each shape, as both sides and as a server alone send them: as they are, and to
/// be sealed.
@Sendable func frameSeeds() -> [[UInt8]] {
  let ofServers: Set<FrameKind> = [.hello, .response, .message, .credit, .ping, .pong, .goAway]
  let server = conversation.filter { ofServers.contains($0.0.kind) }
  return [conversation, server].flatMap { frames in
    var (bytes, script): ([UInt8], [UInt8]) = ([1, 7], [0, 7])
    for (header, payload) in frames {
      header.append(payload: payload, to: &bytes)
      script += [header.kind.rawValue - 1, header.flags.rawValue, UInt8(truncatingIfNeeded: header.stream)]
      script += littleEndian(header.code) + littleEndian(header.value) + [UInt8(payload.count)] + payload
    }
    return [bytes, script]
  }
}

private var conversation: [(FrameHeader, [UInt8])] {
  let message = [UInt8](repeating: 1, count: 90)
  let greeting = Array(greetingFrame.dropFirst(FrameHeader.size))
  var frames = [(FrameHeader(kind: .hello), greeting), (FrameHeader(kind: .ping, value: 3), [])]
  let shapes: [FrameHeader.Flags] = [[], .requestsStream, .responsesStream, [.requestsStream, .responsesStream]]
  for (index, flags) in shapes.enumerated() {
    let stream = UInt32(index + 1)
    frames += [
      (FrameHeader(kind: .request, stream: stream, flags: flags, code: 0x0201, value: 1_000), message),
      (FrameHeader(kind: .message, stream: stream), message),
      (FrameHeader(kind: .credit, stream: stream, value: 500), []),
      (FrameHeader(kind: .end, stream: stream), []),
      (FrameHeader(kind: .cancel, stream: stream), []),
      (FrameHeader(kind: .response, stream: stream, flags: .metadata), [0, 0] + message),
    ]
  }
  let end = FrameHeader(kind: .goAway, stream: 4, code: GoAwayReason.shutdown.rawValue, value: 100)
  return frames + [(FrameHeader(kind: .credit, value: 700), []), (FrameHeader(kind: .pong, value: 3), []), (end, [])]
}

private func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

private var greetingFrame: [UInt8] {
  var frame: [UInt8] = []
  Hello(payloadBytesMax: 4_096, streamsMax: 3, callWindow: 300, connectionWindow: 700, metadata: ["name": "fuzz"])
    .append(to: &frame)
  return frame
}

/// Some metadata, and a hello.
@Sendable func greetingSeeds() -> [[UInt8]] {
  var metadata: [UInt8] = [0]
  (["request-id": "r1", "traceparent": "ж"] as Metadata).append(to: &metadata)
  return [metadata, [1] + greetingFrame.dropFirst(FrameHeader.size)]
}

/// What a release would keep of every message, as bytes.
@Sendable func messageSeeds() -> [[UInt8]] { corpus.map { [UInt8($0.message)] + $0.entry.bytes } }

/// The same as JSON, and texts of fields.
@Sendable func jsonSeeds() -> [[UInt8]] {
  let texts = ["-1", "1e9", "true", "\"", "NEW", "AAE=", "2026-11-20T14:50:00.25+03:00", "\(UUID.zero)"]
  return corpus.map { [UInt8($0.message)] + Array($0.entry.json.utf8) }
    + texts.enumerated().map { [0x80, UInt8($0 + 1)] + Array($1.utf8) }
    + corpus.map { [0x80 | UInt8($0.message), 1, 0x78, 0, 2, 0x31, 0, 1, 0x79] }
}

private var corpus: [(message: Int, entry: CorpusEntry)] {
  let schemas = FuzzSchemas.all
  return schemas.files.indices.flatMap { (try? Corpus(of: $0, in: schemas))?.entries ?? [] }.compactMap { entry in
    schemas.messages.firstIndex { $0.fullName == entry.message }.map { ($0, entry) }
  }
}

/// The schemas, each with the one that others import.
@Sendable func schemaSeeds() -> [[UInt8]] {
  let files = FuzzSchemas.all.files
  return files.map { Array($0.source.utf8) + [0] + Array((files.last?.source ?? "").utf8) }
}

/// A request of each framing, and three in a row.
@Sendable func httpSeeds() -> [[UInt8]] {
  let get = "GET /v1/orders/1?limit=2&after=%41 HTTP/1.1\r\nHost: shop:8080\r\nAccept: a/b, */*;q=0.1\r\n\r\n"
  let post = "POST /v1/orders HTTP/1.1\r\nHost: [::1]\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}"
  let chunked =
    "PUT http://shop/x HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    + "3;name=\"v\"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
  let old = "OPTIONS * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
  return [get, post, chunked, old, post + chunked + old + get].map { [9] + Array($0.utf8) }
}

/// Requests by HTTP/2 with a body, trailers, a reset, a ping and settings: as they are, and as a script.
@Sendable func http2Seeds() -> [[UInt8]] {
  // :method GET, :scheme http, :path /, :authority x; the last as a literal.
  let (get, post): ([UInt8], [UInt8]) = ([0x82, 0x86, 0x84, 0x41, 1, 0x78], [0x83, 0x86, 0x84, 0x41, 1, 0x78])
  let expecting = post + [0x0F, 20, 12] + Array("100-continue".utf8)
  let indexed: [UInt8] = [0x40, 1, 0x61, 1, 0x62, 0xBE, 0xBE]
  let frames: [(kind: UInt8, flags: UInt8, stream: UInt8, payload: [UInt8])] = [
    (1, 5, 1, get), (1, 4, 3, expecting), (0, 0, 3, [1, 2]), (0, 1, 3, [3]), (1, 1, 5, get), (9, 4, 5, indexed),
    (1, 4, 7, post), (1, 5, 7, [0, 1, 0x61, 1, 0x62]), (1, 4, 9, post), (3, 0, 9, [0, 0, 0, 8]),
    (6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]), (4, 0, 0, [0, 4, 0, 0, 0, 9]), (8, 0, 0, [0, 0, 0, 9]),
    (1, 5, 11, [0x81] + post), (7, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]),
  ]
  var (bytes, script): ([UInt8], [UInt8]) = ([8], [9])
  for frame in frames {
    let length = UInt8(frame.payload.count)
    bytes += [0, 0, length, frame.kind, frame.flags, 0, 0, 0, frame.stream] + frame.payload
    script += [frame.kind, frame.flags, frame.stream, length] + frame.payload
  }
  return [bytes, script]
}

/// Messages in one frame and in several with a ping between them, and a close; with masks that change nothing.
@Sendable func webSocketSeeds() -> [[UInt8]] {
  let mask: [UInt8] = [0, 0, 0, 0]
  let messages: [(head: [UInt8], payload: [UInt8])] = [
    ([0x81, 0x82], [0xC3, 0xA9]),
    ([0x02, 0x81], [1]), ([0x89, 0x80], []), ([0x80, 0x81], [2]),
    ([0x82, 0xFE, 0, 200], [UInt8](repeating: 7, count: 200)),
    ([0x88, 0x85], [3, 232] + Array("bye".utf8)),
  ]
  return [messages.reduce(into: [9]) { $0 += $1.head + mask + $1.payload }]
}
