package import JSON
internal import Wire

/// A JSON Web Token in its compact form, read and not verified (RFC 7515 section 3.1): what it says may be a lie.
package struct CompactToken: Sendable {
  /// How it is signed.
  package let header: JSONValue
  /// What it says; nil when that is no JSON object, or has two members of one name.
  package var claims: JSONValue? { Self.object(body) }
  /// The bytes that are signed.
  let signed: [UInt8]
  /// The signature of them.
  let signature: [UInt8]
  private let body: Substring.UTF8View.SubSequence

  /// Reads a token of at most ``TokenVerifier/bytesMax`` bytes; nil when it is none.
  package init?(_ text: String) {
    guard text.utf8.count <= TokenVerifier.bytesMax else { return nil }
    let parts = text[...].utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Self.object(parts[0]), let signature = Self.bytes(parts[2]) else { return nil }
    self.header = header
    self.signature = signature
    body = parts[1]
    signed = Array(text.utf8.prefix(parts[0].count + 1 + parts[1].count))
  }

  private static func object(_ part: Substring.UTF8View.SubSequence) -> JSONValue? {
    guard let bytes = bytes(part), let value = try? JSONValue(parsing: bytes.span), let members = value.members else {
      return nil
    }
    // Two readers might believe two different members of one name (RFC 8725 section 2.4).
    return Set(members.map(\.name)).count == members.count ? value : nil
  }

  private static func bytes(_ part: Substring.UTF8View.SubSequence) -> [UInt8]? {
    var bytes: [UInt8] = []
    return Base64.url.appendBytes(of: Array(part).span, to: &bytes) ? bytes : nil
  }
}
