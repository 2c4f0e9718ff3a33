internal import JSON
internal import TLS
package import Wire

/// Makes JSON Web Tokens, for development and tests: those of production come from whoever knows the users.
package struct TokenMaker: Sendable {
  /// What a token says.
  package struct Claims: Sendable {
    package var subject: String
    package var scopes: [String] = []
    package var issuer: String?
    package var audience: String?
    package var issuedAt: Timestamp
    package var lifetime: Duration

    /// Claims for a subject.
    package init(subject: String, issuedAt: Timestamp, lifetime: Duration) {
      self.subject = subject
      self.issuedAt = issuedAt
      self.lifetime = lifetime
    }
  }

  private let entry: JSONWebKeySet.Entry

  /// A maker with a secret key.
  package init(_ entry: JSONWebKeySet.Entry) { self.entry = entry }

  /// A token; nil when the key is a public one.
  package func token(_ claims: Claims) -> String? {
    let (header, body) = (header, Self.body(claims))
    let signed = Base64.url.encode(header.encoded) + "." + Base64.url.encode(body.encoded)
    return entry.key.sign(Array(signed.utf8)).map { "\(signed).\(Base64.url.encode($0))" }
  }

  private var header: JSONValue {
    var header: [JSONValue.Member] = [.init("alg", .string(entry.key.algorithm.rawValue)), .init("typ", "JWT")]
    if let id = entry.id { header.append(.init("kid", .string(id))) }
    return .object(header)
  }

  private static func body(_ claims: Claims) -> JSONValue {
    let start = claims.issuedAt.microseconds / 1_000_000
    var body: [JSONValue.Member] = [
      .init("sub", .string(claims.subject)), .init("iat", .integer(start)),
      .init("exp", .integer(start + claims.lifetime.components.seconds)),
    ]
    if !claims.scopes.isEmpty { body.append(.init("scope", .string(claims.scopes.joined(separator: " ")))) }
    if let issuer = claims.issuer { body.append(.init("iss", .string(issuer))) }
    if let audience = claims.audience { body.append(.init("aud", .string(audience))) }
    return .object(body)
  }
}
