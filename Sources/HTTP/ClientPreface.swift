/// What a client of HTTP/2 sends first (RFC 9113 section 3.4), made so that no server of HTTP/1.1 takes it for a request.
enum ClientPreface {
  static let bytes = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  /// Whether a connection's first bytes begin a connection by HTTP/2; nil while they are too few to tell.
  static func begins(_ first: borrowing RawSpan) -> Bool? {
    let count = min(first.byteCount, bytes.count)
    for offset in 0..<count where first.byte(at: offset) != bytes[offset] { return false }
    return count == bytes.count ? true : nil
  }
}
