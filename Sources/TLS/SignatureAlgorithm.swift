/// How something is signed; the names are those of JOSE (RFC 7518 section 3.1, RFC 8037 section 3.1).
package enum SignatureAlgorithm: String, CaseIterable, Sendable {
  /// Ed25519.
  case edDSA = "EdDSA"
  /// ECDSA on the curve P-256 with SHA-256.
  case es256 = "ES256"
  /// HMAC with SHA-256: whoever can check a signature can make one.
  case hs256 = "HS256"
}
