internal import JSON
package import TLS
internal import Wire

/// The keys that sign tokens (RFC 7517): a JWKS document.
///
/// A key is for one algorithm, which follows from its type, so that no token can choose another one for it (RFC 8725
/// section 3.1).
package struct JSONWebKeySet: Sendable {
  /// The most bytes of a document.
  package static let bytesMax = 256 * 1_024
  /// The most keys of a set.
  private static let keysMax = 100

  /// A key and the name that tokens call it by.
  package struct Entry: Sendable {
    package let id: String?
    package let key: SignatureKey

    /// A key, under a name if it has one.
    package init(id: String?, key: SignatureKey) {
      self.id = id
      self.key = key
    }
  }

  /// What is wrong with a document, in words that follow its name.
  package struct Refusal: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// The keys, in the order of the document.
  package let entries: [Entry]

  /// A set of these keys.
  package init(_ entries: [Entry]) { self.entries = entries }

  /// Reads `{"keys": [...]}`. Keys of other types, and those that are for encryption, are passed over (RFC 7517 section 5).
  package init(parsing bytes: [UInt8]) throws(Refusal) {
    let document: JSONValue
    do throws(JSONError) {
      document = try JSONValue(parsing: bytes.span)
    } catch {
      throw Refusal(description: "is not JSON: \(error)")
    }
    guard let keys = document["keys"]?.array else { throw Refusal(description: "has no array \"keys\" (RFC 7517)") }
    guard keys.count <= Self.keysMax else { throw Refusal(description: "has more than \(Self.keysMax) keys") }
    var entries: [Entry] = []
    for (place, key) in keys.enumerated() {
      do throws(Refusal) {
        if let entry = try Self.entry(key) { entries.append(entry) }
      } catch {
        throw Refusal(description: "has a key at /keys/\(place) that \(error)")
      }
    }
    guard !entries.isEmpty else {
      throw Refusal(description: "has no key for EdDSA (Ed25519), ES256 (P-256) or HS256 (32 bytes or more)")
    }
    let names = entries.compactMap(\.id)
    guard Set(names).count == names.count else { throw Refusal(description: "has two keys of one \"kid\"") }
    self.entries = entries
  }

  /// Reads one key, as a document of its own.
  package static func key(parsing bytes: [UInt8]) throws(Refusal) -> Entry {
    let document: JSONValue
    do throws(JSONError) {
      document = try JSONValue(parsing: bytes.span)
    } catch {
      throw Refusal(description: "is not JSON: \(error)")
    }
    if document["keys"] != nil { throw Refusal(description: "has many keys (\"keys\"), and one is needed") }
    guard let entry = try entry(document) else {
      throw Refusal(description: "is no key for EdDSA (Ed25519), ES256 (P-256) or HS256 (32 bytes or more)")
    }
    return entry
  }

  /// The keys that a token with this header may be signed with.
  func candidates(_ algorithm: SignatureAlgorithm, id: String?) -> [SignatureKey] {
    entries.filter { $0.key.algorithm == algorithm && (id == nil || $0.id == id) }.map(\.key)
  }

  /// A key of the set; nil when it is of no use here.
  private static func entry(_ key: JSONValue) throws(Refusal) -> Entry? {
    if let use = key["use"]?.string, use != "sig" { return nil }
    let made: SignatureKey?
    switch (key["kty"]?.string, key["crv"]?.string) {
    case ("OKP", "Ed25519"):
      made =
        key["d"] == nil
        ? SignatureKey(ed25519: try bytes("x", key)) : SignatureKey(ed25519Secret: try bytes("d", key))
    case ("EC", "P-256"):
      let secret = key["d"] == nil ? nil : try bytes("d", key)
      made = SignatureKey(p256: try bytes("x", key), try bytes("y", key), secret: secret)
    case ("oct", _): made = SignatureKey(hmac: try bytes("k", key))
    case (nil, _): throw Refusal(description: "has no \"kty\"")
    default: return nil
    }
    guard let made else { throw Refusal(description: "is no key of its type, or too short") }
    if let wanted = key["alg"]?.string, wanted != made.algorithm.rawValue {
      throw Refusal(description: "is for \(made.algorithm.rawValue) by its type, and says \"alg\": \"\(wanted)\"")
    }
    return Entry(id: key["kid"]?.string, key: made)
  }

  private static func bytes(_ name: String, _ key: JSONValue) throws(Refusal) -> [UInt8] {
    guard let text = key[name]?.string, let bytes = Base64.url.decode(text) else {
      throw Refusal(description: "has no \"\(name)\" in base64url")
    }
    return bytes
  }
}
