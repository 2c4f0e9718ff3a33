internal import Wire

/// Entity tags (RFC 9110 section 8.8.3): equal for equal bodies.
enum EntityTag {
  /// The strong tag of a body, in quotes: 64 bits of FNV-1a and the length.
  static func of(_ body: [UInt8]) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in body { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var tag: [UInt8] = []
    tag.reserveCapacity(34)
    tag.append(UInt8(ascii: "\""))
    hash.appendHexadecimal(to: &tag)
    UInt64(body.count).appendHexadecimal(to: &tag)
    tag.append(UInt8(ascii: "\""))
    return String(decoding: tag, as: UTF8.self)
  }

  /// Whether an `If-None-Match` names `tag`; weak tags compare by their opaque part (RFC 9110 section 13.1.2). A
  /// representation without a tag is named by `*` alone.
  static func matches(_ ifNoneMatch: String, _ tag: String?) -> Bool {
    names(ifNoneMatch, tag) { $0 == $1 || $0.hasPrefix("W/") && $0.dropFirst(2) == $1 }
  }

  /// Whether an `If-Match` names `tag`, which a weak tag never does (section 13.1.1).
  static func matchesStrongly(_ ifMatch: String, _ tag: String?) -> Bool { names(ifMatch, tag) { $0 == $1 } }

  private static func names(_ list: String, _ tag: String?, by isEqual: (Substring, String) -> Bool) -> Bool {
    if list.trimmed == "*" { return true }
    guard let tag else { return false }
    return list.split(separator: ",").contains { isEqual($0.trimmed, tag) }
  }
}
