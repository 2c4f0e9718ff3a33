/// The request line (RFC 9112 section 3): a method, a target and a version with one space between them.
struct RequestLine {
  let method: HTTPMethod
  /// Where the target's path lies; empty when an absolute target has none.
  let path: HTTPFields.Extent
  /// Where the target's query lies.
  let query: HTTPFields.Extent?
  let isVersion10: Bool

  /// Checks the line at the beginning of `text`, whose target was found by the lexer.
  init(_ lexed: LexedHead, _ text: [UInt8]) throws(HTTPRefusal) {
    let target = lexed.target
    let malformed = HTTPRefusal.malformed("The request line is not METHOD TARGET HTTP/1.1 with single spaces.")
    guard target.lowerBound > 1, text[target.lowerBound - 1] == .space else { throw malformed }
    let name = text[..<(target.lowerBound - 1)]
    guard name.allSatisfy(\.isTokenCharacter) else { throw malformed }
    isVersion10 = try Self.isVersion10(text[target.upperBound...], orElse: malformed)
    guard let method = Self.method(name) else { throw .unknownMethod(name) }
    self.method = method
    (path, query) = try Self.split(text, target, method)
  }

  /// The method of that name; nil when it is none that this server knows.
  static func method(_ name: ArraySlice<UInt8>) -> HTTPMethod? {
    HTTPMethod.allCases.first { $0.rawValue.utf8.elementsEqual(name) }
  }

  /// Reads ` HTTP/1.x` and the line's end.
  private static func isVersion10(
    _ rest: ArraySlice<UInt8>, orElse malformed: HTTPRefusal
  ) throws(HTTPRefusal) -> Bool {
    let line = rest.prefix(11)
    guard line.count == 11, line.starts(with: " HTTP/".utf8), line.suffix(2).elementsEqual("\r\n".utf8) else {
      throw malformed
    }
    let digits = line.dropFirst(6).prefix(3)
    if digits.elementsEqual("1.1".utf8) { return false }
    if digits.elementsEqual("1.0".utf8) { return true }
    throw HTTPRefusal(.versionNotSupported, "This server speaks HTTP/1.1 and HTTP/1.0.")
  }

  /// Splits a target in origin, absolute or asterisk form (RFC 9112 section 3.2) into path and query.
  static func split(
    _ text: [UInt8], _ target: Range<Int>, _ method: HTTPMethod
  ) throws(HTTPRefusal) -> (path: HTTPFields.Extent, query: HTTPFields.Extent?) {
    var path = target
    if text[target].elementsEqual("*".utf8) {
      guard method == .options else { throw .malformed("Only OPTIONS can ask about the whole server.") }
      return (HTTPFields.Extent(path.lowerBound, count: 1), nil)
    }
    try checkCharacters(text[target])
    if text[target.lowerBound] != UInt8(ascii: "/") {
      path = try afterAuthority(text, target)..<target.upperBound
    }
    guard let mark = text[path].firstIndex(of: UInt8(ascii: "?")) else {
      return (HTTPFields.Extent(path.lowerBound, count: path.count), nil)
    }
    return (
      HTTPFields.Extent(path.lowerBound, count: mark - path.lowerBound),
      HTTPFields.Extent(mark + 1, count: path.upperBound - mark - 1)
    )
  }

  /// Where the path begins in `http://host:port/path`.
  private static func afterAuthority(_ text: [UInt8], _ target: Range<Int>) throws(HTTPRefusal) -> Int {
    let malformed = HTTPRefusal.malformed("The target is neither a path nor an http URI.")
    guard
      let scheme = ["http://", "https://"].first(where: { text[target].prefix($0.utf8.count).equalsIgnoringCase($0) })
    else { throw malformed }
    let authority = text[target].dropFirst(scheme.utf8.count).prefix {
      $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?")
    }
    guard !authority.isEmpty, FieldRules.isHost(authority) else { throw malformed }
    return authority.endIndex
  }

  /// Lets only the characters of a URI through, and whole escapes (RFC 3986 section 2).
  private static func checkCharacters(_ target: ArraySlice<UInt8>) throws(HTTPRefusal) {
    var index = target.startIndex
    while index < target.endIndex {
      let byte = target[index]
      if byte == UInt8(ascii: "%") {
        guard target.endIndex - index > 2, target[index + 1].hexadecimalValue != nil,
          target[index + 2].hexadecimalValue != nil
        else { throw .malformed("The target has a broken percent escape.") }
      } else if !byte.isURICharacter {
        throw .malformed("The target has a character that must be percent-encoded.")
      }
      index += 1
    }
  }
}
