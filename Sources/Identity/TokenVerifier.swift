internal import JSON
internal import TLS
package import Wire

/// Tells whose a JSON Web Token is (RFC 7519), by the rules of RFC 8725. No I/O.
package struct TokenVerifier: Sendable {
  /// The most bytes of a token.
  package static let bytesMax = 8 * 1_024
  /// The most scopes of a token.
  private static let scopesMax = 64
  /// The most bytes of a subject.
  private static let subjectBytesMax = 255

  private let keys: JSONWebKeySet
  private let issuer: String?
  private let audience: String?

  /// A verifier of tokens that are signed with one of `keys`.
  ///
  /// - Parameters:
  ///   - issuer: who must have made them (`iss`); anybody who has a key, when it is nil.
  ///   - audience: who they must be made for (`aud`); anybody, when it is nil.
  package init(keys: JSONWebKeySet, issuer: String?, audience: String?) {
    self.keys = keys
    self.issuer = issuer
    self.audience = audience
  }

  /// Who `token` speaks for.
  package func verify(_ token: String, now: Timestamp) throws(TokenRefusal) -> Identity {
    guard token.utf8.count <= Self.bytesMax else { throw TokenRefusal("has more than \(Self.bytesMax) bytes") }
    guard let token = CompactToken(token) else { throw .malformed }
    let header = token.header
    try check(header)
    guard let name = header["alg"]?.string, let algorithm = SignatureAlgorithm(rawValue: name) else {
      throw TokenRefusal("is signed by an algorithm that is not taken here: EdDSA, ES256 and HS256 are")
    }
    let candidates = keys.candidates(algorithm, id: header["kid"]?.string)
    guard candidates.contains(where: { $0.verifies(token.signature, of: token.signed) }) else { throw .unsigned }
    guard let claims = token.claims else { throw .malformed }
    return try identity(claims, now: now)
  }

  private func check(_ header: JSONValue) throws(TokenRefusal) {
    guard header["crit"] == nil else { throw TokenRefusal("demands something that is not understood here (\"crit\")") }
    guard let type = header["typ"] else { return }
    let isToken = type.string.map { ["jwt", "at+jwt", "application/at+jwt"].contains($0.lowercased()) } ?? false
    if !isToken { throw TokenRefusal("is of another type than JWT") }
  }

  private func identity(_ claims: JSONValue, now: Timestamp) throws(TokenRefusal) -> Identity {
    let seconds = now.microseconds / 1_000_000
    guard let end = Self.seconds(claims["exp"]) else { throw TokenRefusal("has no \"exp\": it must expire") }
    guard seconds < end.addingClamped(Identity.leeway) else { throw TokenRefusal("has expired") }
    if let start = claims["nbf"] {
      guard let start = Self.seconds(start) else { throw TokenRefusal("has an \"nbf\" that is no time") }
      guard start <= seconds.addingClamped(Identity.leeway) else { throw TokenRefusal("is not valid yet") }
    }
    if let issuer, claims["iss"]?.string != issuer { throw TokenRefusal("is of another issuer (\"iss\")") }
    if let audience, !Self.names(audience, in: claims["aud"]) {
      throw TokenRefusal("is made for somebody else (\"aud\")")
    }
    guard let subject = claims["sub"]?.string, (1...Self.subjectBytesMax).contains(subject.utf8.count),
      subject.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { throw TokenRefusal("has no \"sub\" of 1 to \(Self.subjectBytesMax) visible characters of ASCII") }
    return Identity(
      subject: subject, scopes: try Self.scopes(claims["scope"]),
      expiresAt: Timestamp(microseconds: end.multipliedClamped(1_000_000)))
  }

  private static func scopes(_ claim: JSONValue?) throws(TokenRefusal) -> [String] {
    guard let claim else { return [] }
    let words = claim.string.map { $0.split(separator: " ").map(String.init) } ?? claim.array?.map { $0.string ?? "" }
    guard let words, words.count <= scopesMax, words.allSatisfy(isScope) else {
      throw TokenRefusal("has a \"scope\" that is no list of words")
    }
    return words
  }

  private static func isScope(_ word: String) -> Bool {
    (1...100).contains(word.utf8.count) && word.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  private static func names(_ audience: String, in claim: JSONValue?) -> Bool {
    claim?.string == audience || claim?.array?.contains { $0.string == audience } == true
  }

  /// A time in seconds since 1970 (RFC 7519 section 2, NumericDate); fractions are cut.
  private static func seconds(_ claim: JSONValue?) -> Int64? {
    switch claim {
    case .integer(let seconds): seconds
    case .number(let seconds) where seconds.magnitude < 1e15: Int64(seconds)
    default: nil
    }
  }
}

extension Int64 {
  fileprivate func multipliedClamped(_ factor: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? (self > 0 ? .max : .min) : product
  }
}
