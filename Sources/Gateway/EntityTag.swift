/// Entity tags (RFC 9110 section 8.8.3): equal for equal bodies.
enum EntityTag {
  /// The strong tag of a body, in quotes: 64 bits of FNV-1a and the length.
  static func of(_ body: [UInt8]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return "\"\(String(hash, radix: 36))-\(String(body.count, radix: 36))\""
  }

  /// Whether an `If-Match` names `tag`; weak tags never do (RFC 9110 section 13.1.1).
  static func matchesStrongly(_ ifMatch: String, _ tag: String) -> Bool {
    ifMatch.trimmed == "*" || ifMatch.split(separator: ",").contains { $0.trimmed == tag }
  }

  /// Whether an `If-None-Match` names `tag`; weak tags compare by their opaque part (RFC 9110 section 13.1.2).
  static func matches(_ ifNoneMatch: String, _ tag: String) -> Bool {
    if ifNoneMatch.trimmed == "*" { return true }
    return ifNoneMatch.split(separator: ",").contains { candidate in
      let candidate = candidate.trimmed
      return candidate == tag || candidate.hasPrefix("W/") && candidate.dropFirst(2) == tag
    }
  }
}
