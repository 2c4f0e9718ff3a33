/// What the fields of a head must keep to so that no two readers see different requests (RFC 9112 sections 5 and 6),
/// and what follows from them for the body.
struct FieldRules {
  private(set) var framing = RequestHead.Framing.none
  /// Whether the client may wait for `100 Continue`; of no meaning without a body.
  private(set) var expectsContinue = false
  /// Whether the client asks for another protocol.
  private(set) var asksForUpgrade = false

  /// Checks the fields that the lexer found in `text`.
  init(_ entries: [HTTPFields.Entry], _ text: [UInt8], isVersion10: Bool) throws(HTTPRefusal) {
    var hosts = 0
    for entry in entries {
      let name = text[entry.name.range]
      guard name.allSatisfy(\.isTokenCharacter), text[name.endIndex] == .colon else {
        throw .malformed("A header field's name is not a token followed by a colon.")
      }
      let value = text[entry.value.range]
      guard value.allSatisfy(\.isFieldCharacter) else {
        throw .malformed("A header field's value has a control character.")
      }
      switch name.count {
      case 4 where name.equalsIgnoringCase("host"):
        hosts += 1
        guard Self.isHost(value) else { throw .malformed("The Host field is not a host and a port.") }
      case 6 where name.equalsIgnoringCase("expect"):
        try expect(value, isVersion10: isVersion10)
      case 7 where name.equalsIgnoringCase("upgrade"):
        asksForUpgrade = true
      case 14 where name.equalsIgnoringCase("content-length"):
        try contentLength(value)
      case 17 where name.equalsIgnoringCase("transfer-encoding"):
        try transferEncoding(value, isVersion10: isVersion10)
      default:
        break
      }
    }
    guard hosts == 1 || hosts == 0 && isVersion10 else {
      throw .malformed(hosts == 0 ? "The request has no Host field." : "The request has more than one Host field.")
    }
    if framing == .length(0) { framing = .none }
  }

  private mutating func expect(_ value: ArraySlice<UInt8>, isVersion10: Bool) throws(HTTPRefusal) {
    if isVersion10 { return }
    guard value.equalsIgnoringCase("100-continue") else {
      throw HTTPRefusal(.expectationFailed, "The only expectation this server can meet is 100-continue.")
    }
    expectsContinue = true
  }

  /// One length in decimal digits; a repeated one is refused even when it is the same.
  private mutating func contentLength(_ value: ArraySlice<UInt8>) throws(HTTPRefusal) {
    guard framing == .none else {
      throw .malformed("The request gives the length of its body more than once.")
    }
    var length = 0
    for byte in value {
      let (scaled, overflow) = length.multipliedReportingOverflow(by: 10)
      let (sum, carry) = scaled.addingReportingOverflow(Int(byte &- 0x30))
      guard byte.isASCIIDigit, !overflow, !carry else { throw .malformed("Content-Length is not a number.") }
      length = sum
    }
    guard !value.isEmpty else { throw .malformed("Content-Length is not a number.") }
    framing = .length(length)
  }

  private mutating func transferEncoding(_ value: ArraySlice<UInt8>, isVersion10: Bool) throws(HTTPRefusal) {
    guard framing == .none, !isVersion10 else {
      throw .malformed("The request gives the length of its body more than once.")
    }
    guard value.equalsIgnoringCase("chunked") else {
      throw .malformed("The only transfer coding this server takes is chunked, once.")
    }
    framing = .chunked
  }

  /// Whether it is a host and perhaps a port (RFC 9110 section 7.2), or empty.
  static func isHost(_ value: ArraySlice<UInt8>) -> Bool {
    var host = value
    if let colon = host.lastIndex(of: .colon), host[(colon + 1)...].allSatisfy(\.isASCIIDigit) {
      host = host[..<colon]
    }
    if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
      return host.count > 2
        && host.dropFirst().dropLast().allSatisfy {
          $0.hexadecimalValue != nil || $0 == .colon || $0 == UInt8(ascii: ".")
        }
    }
    return host.allSatisfy { byte in
      byte.isASCIILetter || byte.isASCIIDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~") || byte == UInt8(ascii: "%")
    }
  }
}
