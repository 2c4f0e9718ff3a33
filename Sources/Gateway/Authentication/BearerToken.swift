internal import HTTP

/// The token that a request bears (RFC 6750 section 2.1).
enum BearerToken: Equatable {
  /// `Authorization` is not there.
  case none
  /// It carries this token.
  case token(String)
  /// It is of another scheme, such as `Basic`.
  case otherScheme
  /// It is there more than once, or has the form of no credentials.
  case malformed

  /// What the fields of a request say.
  init(_ fields: HTTPFields) {
    guard let value = fields["authorization"] else {
      self = .none
      return
    }
    guard fields.values(of: "authorization").count == 1 else {
      self = .malformed
      return
    }
    let parts = value.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts[0].lowercased() == "bearer" else {
      self = .otherScheme
      return
    }
    let token = parts.count == 2 ? parts[1].drop { $0 == " " } : ""
    self = !token.isEmpty && token.utf8.allSatisfy(Self.isTokenCharacter) ? .token(String(token)) : .malformed
  }

  /// Of `b64token`.
  private static func isTokenCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-._~+/=".utf8.contains(byte)
    }
  }
}
