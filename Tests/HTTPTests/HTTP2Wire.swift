@testable import HTTP

/// Frames of HTTP/2 made by hand (RFC 9113 section 4.1), the wrong ones included.
struct HTTP2Wire: Equatable {
  enum Kind {
    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let priority: UInt8 = 2
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let pushPromise: UInt8 = 5
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9
  }

  static let endStream: UInt8 = 1
  static let acknowledgement: UInt8 = 1
  static let endHeaders: UInt8 = 4
  static let padded: UInt8 = 8
  static let hasPriority: UInt8 = 0x20

  var kind: UInt8
  var flags: UInt8
  var stream: UInt32
  var payload: [UInt8]

  /// The frame's bytes; `length` lies about the payload.
  func bytes(length: Int? = nil) -> [UInt8] {
    let length = length ?? payload.count
    return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags] + Self.number(stream)
      + payload
  }

  static func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }

  static func frame(_ kind: UInt8, _ flags: UInt8 = 0, _ stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    HTTP2Wire(kind: kind, flags: flags, stream: stream, payload: payload).bytes()
  }

  static func setting(_ id: UInt8, _ value: UInt32) -> [UInt8] { [0, id] + number(value) }

  /// What every client begins with: the preface and empty settings.
  static let greeting = ClientPreface.bytes + frame(Kind.settings)

  static func ping(_ byte: UInt8 = 0) -> [UInt8] { frame(Kind.ping, 0, 0, [UInt8](repeating: byte, count: 8)) }

  // MARK: - HPACK (RFC 7541), literals without indexing and without Huffman coding

  static func field(_ name: String, _ value: String) -> [UInt8] {
    [0] + text(Array(name.utf8)) + text(Array(value.utf8))
  }

  private static func text(_ bytes: [UInt8]) -> [UInt8] { integer(bytes.count, prefix: 7) + bytes }

  static func integer(_ value: Int, prefix: Int, first: UInt8 = 0) -> [UInt8] {
    let largest = (1 << prefix) - 1
    if value < largest { return [first | UInt8(value)] }
    var (bytes, rest) = ([first | UInt8(largest)], value - largest)
    while rest >= 128 {
      bytes.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  static func list(_ fields: [(String, String)]) -> [UInt8] { fields.flatMap { field($0.0, $0.1) } }

  /// The fields of a request, others added.
  static func request(
    _ method: String = "GET", _ path: String = "/", _ more: [(String, String)] = []
  ) -> [UInt8] {
    list([(":method", method), (":scheme", "http"), (":path", path), (":authority", "x")] + more)
  }

  /// A whole request without a body.
  static func get(_ stream: UInt32 = 1, _ path: String = "/", _ more: [(String, String)] = []) -> [UInt8] {
    frame(Kind.headers, endHeaders | endStream, stream, request("GET", path, more))
  }

  /// The head of a request whose body follows.
  static func post(_ stream: UInt32 = 1, _ path: String = "/", _ more: [(String, String)] = []) -> [UInt8] {
    frame(Kind.headers, endHeaders, stream, request("POST", path, more))
  }

  static func data(_ stream: UInt32 = 1, _ bytes: [UInt8], ends: Bool = false) -> [UInt8] {
    frame(Kind.data, ends ? endStream : 0, stream, bytes)
  }

  // MARK: - Reading

  /// The frame at an offset of `bytes`, and where it ends; nil when it is not whole.
  static func frame(in bytes: [UInt8], at start: Int) -> (frame: HTTP2Wire, end: Int)? {
    guard bytes.count - start >= 9 else { return nil }
    let length = Int(bytes[start]) << 16 | Int(bytes[start + 1]) << 8 | Int(bytes[start + 2])
    let end = start + 9 + length
    guard bytes.count >= end else { return nil }
    let stream = bytes[start + 5..<start + 9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let payload = Array(bytes[start + 9..<end])
    return (HTTP2Wire(kind: bytes[start + 3], flags: bytes[start + 4], stream: stream, payload: payload), end)
  }

  /// The error code of a reset or a GOAWAY.
  var errorCode: UInt32 {
    let bytes = kind == Kind.goAway ? payload.dropFirst(4).prefix(4) : payload.prefix(4)
    return bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The status at the beginning of a header block that is the first of its connection.
  var status: Int? {
    guard kind == Kind.headers, let first = payload.first else { return nil }
    let known: [UInt8: Int] = [0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500]
    if let status = known[first] { return status }
    guard first == 0x48 || first == 0x08, payload.count > 1 else { return nil }
    let value = payload.dropFirst(2).prefix(Int(payload[1] & 0x7F))
    return payload[1] & 0x80 == 0 ? Int(String(decoding: value, as: UTF8.self)) : digits(value)
  }

  /// Three digits in Huffman code (RFC 7541 appendix B): 0 to 2 have 5 bits, the others 6.
  private func digits(_ bytes: ArraySlice<UInt8>) -> Int {
    var bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }[...]
    var number = 0
    for _ in 0..<3 {
      let five = bits.prefix(5).reduce(0) { $0 << 1 | Int($1) }
      if five < 3 {
        number = number * 10 + five
        bits = bits.dropFirst(5)
      } else {
        number = number * 10 + bits.prefix(6).reduce(0) { $0 << 1 | Int($1) } - 0x19 + 3
        bits = bits.dropFirst(6)
      }
    }
    return number
  }
}
