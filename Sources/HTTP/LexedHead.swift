private import CHTTPParser

/// What http_parser finds in a head: where the target and the fields lie.
///
/// The library forgives what RFC 9112 forbids (spaces before a colon, bytes above 127 and several spaces in a request
/// line, HTTP/0.9), so everything it finds is checked again by ``RequestLine`` and ``FieldRules``.
struct LexedHead {
  /// Where the target lies in the head.
  private(set) var target = 0..<0
  /// Where the fields lie, values without the blanks around them.
  private(set) var entries: [HTTPFields.Entry] = []
  /// What `Connection` and the version say about the time after the response.
  private(set) var keepsAlive = false

  /// Looks through a whole head, which ends with its empty line.
  init(_ text: [UInt8]) throws(HTTPRefusal) {
    entries.reserveCapacity(16)
    var parser = http_parser()
    http_parser_init(&parser, HTTP_REQUEST)
    let consumed = text.withUnsafeBytes { bytes in
      var sink = Sink(base: bytes.baseAddress!, lexed: self)
      defer { self = sink.lexed }
      return withUnsafeMutablePointer(to: &sink) { pointer in
        parser.data = UnsafeMutableRawPointer(pointer)
        return withUnsafePointer(to: Sink.settings) { settings in
          http_parser_execute(&parser, settings, bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
        }
      }
    }
    parser.data = nil
    let code = http_errno(rawValue: UInt32(parser.http_errno))
    if code == HPE_INVALID_METHOD { throw Self.unknownMethod(text) }
    guard code == HPE_CB_message_complete, consumed == text.count else {
      throw .malformed("The request's head is malformed: \(String(cString: http_errno_description(code))).")
    }
    keepsAlive = http_should_keep_alive(&parser) != 0
  }

  private static func unknownMethod(_ text: [UInt8]) -> HTTPRefusal {
    let method = text.prefix { $0.isTokenCharacter }
    guard !method.isEmpty, text[method.endIndex] == .space else {
      return .malformed("The request line does not begin with a method.")
    }
    return .unknownMethod(method)
  }

  /// Where http_parser's callbacks leave what they are told; lives for one run of the parser.
  private struct Sink {
    let base: UnsafeRawPointer
    var lexed: LexedHead

    static let settings: http_parser_settings = {
      var settings = http_parser_settings()
      http_parser_settings_init(&settings)
      settings.on_url = { parser, bytes, count in
        Sink.of(parser).pointee.foundTarget(bytes!, count)
        return 0
      }
      settings.on_header_field = { parser, bytes, count in
        Sink.of(parser).pointee.foundName(bytes!, count)
        return 0
      }
      settings.on_header_value = { parser, bytes, count in
        Sink.of(parser).pointee.foundValue(bytes!, count)
        return 0
      }
      // 1: look for no body here; RequestParser reads it.
      settings.on_headers_complete = { _ in 1 }
      // Stop: a second request in the same head would be one that somebody smuggles.
      settings.on_message_complete = { _ in 1 }
      return settings
    }()

    static func of(_ parser: UnsafeMutablePointer<http_parser>?) -> UnsafeMutablePointer<Sink> {
      parser!.pointee.data.assumingMemoryBound(to: Sink.self)
    }

    mutating func foundTarget(_ bytes: UnsafePointer<CChar>, _ count: Int) {
      let start = UnsafeRawPointer(bytes) - base
      lexed.target = start..<start + count
    }

    mutating func foundName(_ bytes: UnsafePointer<CChar>, _ count: Int) {
      let start = UnsafeRawPointer(bytes) - base
      let name = HTTPFields.Extent(start, count: count)
      lexed.entries.append(HTTPFields.Entry(name: name, value: HTTPFields.Extent(start + count, count: 0)))
    }

    mutating func foundValue(_ bytes: UnsafePointer<CChar>, _ count: Int) {
      let text = UnsafeRawBufferPointer(start: bytes, count: count)
      let trailing = text.reversed().prefix { $0.isBlank }.count
      let value = HTTPFields.Extent(UnsafeRawPointer(bytes) - base, count: count - trailing)
      lexed.entries[lexed.entries.count - 1].value = value
    }
  }
}
