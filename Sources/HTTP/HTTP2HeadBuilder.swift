/// Puts the head of an HTTP/2 request together from its fields, so that it looks like one of HTTP/1.1.
///
/// nghttp2 has checked which pseudo fields there are and where, that names are lower case, and that no field is one of a
/// connection (RFC 9113 section 8.2 and 8.3). What the pseudo fields mean is checked here.
struct HTTP2HeadBuilder {
  /// What a field costs beside its bytes in a header list (RFC 9113 section 10.5.1).
  private static let fieldOverheadBytes = 32

  private let limits: HTTPLimits
  private var method: [UInt8] = []
  private var scheme: [UInt8] = []
  private var authority: [UInt8]?
  private var path = HTTPFields.Extent(0, count: 0)
  private var cookies: [UInt8] = []
  private var text: [UInt8] = []
  private var entries: [HTTPFields.Entry] = []
  private var hasBlankEnds = false
  /// The size of all fields, those included that were not kept, as RFC 9113 section 10.5.1 counts it.
  private(set) var listBytes = 0

  init(limits: HTTPLimits) { self.limits = limits }

  /// Takes the next field. What goes beyond the limits is counted and not kept.
  mutating func add(_ name: borrowing RawSpan, _ value: borrowing RawSpan) {
    listBytes += name.byteCount + value.byteCount + Self.fieldOverheadBytes
    if isTooLarge { return }
    if name.byteCount > 0, name.byte(at: 0) == .colon { return addPseudoField(name, value) }
    let valueRange = 0..<value.byteCount
    if let first = valueRange.first, value.byte(at: first).isBlank || value.byte(at: value.byteCount - 1).isBlank {
      hasBlankEnds = true
    }
    if name.spells("cookie") {
      // Clients may send them one by one; whoever reads them expects one list (RFC 9113 section 8.2.3).
      if !cookies.isEmpty { cookies.append(contentsOf: "; ".utf8) }
      return cookies.append(value, valueRange)
    }
    let nameStart = text.count
    text.append(name, 0..<name.byteCount)
    endField(from: nameStart) { $0.append(value, valueRange) }
  }

  private mutating func addPseudoField(_ name: borrowing RawSpan, _ value: borrowing RawSpan) {
    let range = 0..<value.byteCount
    if name.spells(":method") {
      method.append(value, range)
    } else if name.spells(":scheme") {
      scheme.append(value, range)
    } else if name.spells(":authority") {
      authority = authority ?? []
      authority?.append(value, range)
    } else if name.spells(":path") {
      path = HTTPFields.Extent(text.count, count: value.byteCount)
      text.append(value, range)
    }
  }

  /// Adds the rest of a line whose name is there.
  private mutating func endField(from nameStart: Int, _ appendValue: (inout [UInt8]) -> Void) {
    let name = HTTPFields.Extent(nameStart, count: text.count - nameStart)
    text.append(.colon)
    text.append(.space)
    let valueStart = text.count
    appendValue(&text)
    entries.append(
      HTTPFields.Entry(name: name, value: HTTPFields.Extent(valueStart, count: text.count - valueStart)))
    text.append(.carriageReturn)
    text.append(.lineFeed)
  }

  private mutating func addField(_ name: String, _ value: [UInt8]) {
    let start = text.count
    text.append(contentsOf: name.utf8)
    endField(from: start) { $0.append(contentsOf: value) }
  }

  /// Whether the method is HEAD.
  var isHead: Bool { method.elementsEqual("HEAD".utf8) }

  private var isTooLarge: Bool { listBytes > limits.headBytesMax || entries.count > limits.fieldsMax }

  /// The head of all fields.
  ///
  /// - Parameter hasBody: whether the request goes on after its head.
  mutating func finish(hasBody: Bool) throws(HTTPRefusal) -> RequestHead {
    if path.count > limits.requestLineBytesMax {
      throw HTTPRefusal(.uriTooLong, "The target is longer than \(limits.requestLineBytesMax) bytes.")
    }
    guard !isTooLarge else {
      throw HTTPRefusal(
        .headerFieldsTooLarge,
        "The request has more than \(limits.headBytesMax) bytes of header fields, or more than \(limits.fieldsMax) fields."
      )
    }
    guard let known = RequestLine.method(method[...]) else { throw .unknownMethod(method[...]) }
    guard ["http", "https"].contains(where: { scheme[...].equalsIgnoringCase($0) }) else {
      throw .malformed("The scheme is neither http nor https.")
    }
    if hasBlankEnds { throw .malformed("A header field's value begins or ends with a blank.") }
    try settleHost()
    if !cookies.isEmpty { addField("cookie", cookies) }
    guard path.count > 0, [UInt8(ascii: "/"), UInt8(ascii: "*")].contains(text[path.range.lowerBound]) else {
      throw .malformed("The target is no path.")
    }
    let target = try RequestLine.split(text, path.range, known)
    let rules = try FieldRules(entries, text, isVersion10: false)
    var framing = RequestHead.Framing.none
    if hasBody { framing = rules.framing == .none ? .chunked : rules.framing }
    return RequestHead(
      method: known, path: target.path, query: target.query, fields: HTTPFields(text: text, entries: entries),
      isVersion10: false, keepsAlive: true, expectsContinue: hasBody && rules.expectsContinue, framing: framing)
  }

  /// Makes `:authority` the `Host` that handlers know; where there are both, they must agree (RFC 9113 section 8.3.1).
  private mutating func settleHost() throws(HTTPRefusal) {
    let host = entries.first { text[$0.name.range].equalsIgnoringCase("host") }.map { Array(text[$0.value.range]) }
    guard let authority else { return }
    guard let host else { return addField("host", authority) }
    guard host[...].equalsIgnoringCase(String(decoding: authority, as: UTF8.self)) else {
      throw .malformed("The Host field and :authority name different hosts.")
    }
  }
}

extension HTTPRefusal {
  /// 501 for a method that is a token, so that the client learns that only the method is wrong (RFC 9110 section 9.1).
  static func unknownMethod(_ name: ArraySlice<UInt8>) -> HTTPRefusal {
    HTTPRefusal(.notImplemented, "This server does not know the method \(String(decoding: name, as: UTF8.self)).")
  }
}

extension RawSpan {
  /// Whether these bytes are `word`.
  func spells(_ word: String) -> Bool {
    guard byteCount == word.utf8.count else { return false }
    for (offset, expected) in word.utf8.enumerated() where byte(at: offset) != expected { return false }
    return true
  }
}
