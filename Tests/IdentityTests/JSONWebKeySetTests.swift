import JSON
import TLS
import Testing

@testable import Identity

@Suite struct JSONWebKeySetTests {
  private static func refusal(of text: String) -> String? {
    do throws(JSONWebKeySet.Refusal) {
      _ = try JSONWebKeySet(parsing: Array(text.utf8))
      return nil
    } catch {
      return error.description
    }
  }

  @Test(arguments: SignatureAlgorithm.allCases)
  func `a key that is written and read again is the same`(algorithm: SignatureAlgorithm) throws {
    let entry = JSONWebKeySet.Entry(id: "a", key: .generate(algorithm))
    let message = Array("a message".utf8)
    let secret = try JSONWebKeySet(parsing: Array(#"{"keys":[\#(JSONWebKeySet.secretJSON(entry))]}"#.utf8))
    #expect(secret.entries[0].key.parts == entry.key.parts && secret.entries[0].id == "a")
    let signature = try #require(secret.entries[0].key.sign(message))
    #expect(entry.key.verifies(signature, of: message))
    let published = try JSONWebKeySet(parsing: JSONWebKeySet([entry]).publicJSON.encoded)
    #expect(published.entries[0].key.verifies(signature, of: message))
    if algorithm != .hs256 {
      #expect(published.entries[0].key.sign(message) == nil, "no secret is published")
      #expect(JSONWebKeySet([entry]).publicJSON["keys"]?.array?[0]["d"] == nil)
    }
  }

  @Test func `keys that are of no use here are passed over`() throws {
    let set = try JSONWebKeySet(
      parsing: Array(
        """
        {"keys": [
          {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "OKP", "crv": "X25519", "x": "AA"},
          {"kty": "oct", "use": "enc", "k": "AA"},
          {"kty": "oct", "kid": "good", "k": "\(String(repeating: "A", count: 43))"}
        ]}
        """.utf8))
    #expect(set.entries.map(\.id) == ["good"])
  }

  @Test(arguments: [
    ("", "is not JSON"), ("[]", "has no array \"keys\""), (#"{"keys":{}}"#, "has no array \"keys\""),
    (#"{"keys":[]}"#, "has no key for EdDSA"), (#"{"keys":[{"kty":"RSA"}]}"#, "has no key for EdDSA"),
    (#"{"keys":[{}]}"#, #"has a key at /keys/0 that has no "kty""#),
    (#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#, "has a key at /keys/0 that is no key of its type, or too short"),
    (#"{"keys":[{"kty":"oct","k":"!"}]}"#, #"has a key at /keys/0 that has no "k" in base64url"#),
    (#"{"keys":[{"kty":"OKP","crv":"Ed25519"}]}"#, #"has a key at /keys/0 that has no "x" in base64url"#),
    (
      #"{"keys":[{"kty":"EC","crv":"P-256","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#,
      "has a key at /keys/0 that is no key of its type, or too short"
    ),
    (
      #"{"keys":[{"kty":"oct","alg":"EdDSA","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#,
      #"has a key at /keys/0 that is for HS256 by its type, and says "alg": "EdDSA""#
    ),
    (
      #"{"keys":[{"kty":"oct","kid":"a","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},{"kty":"oct","kid":"a","k":"BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#,
      #"has two keys of one "kid""#
    ),
  ])
  func `a document that is no key set is refused, and where it is wrong is said`(text: String, reason: String) {
    #expect(Self.refusal(of: text)?.hasPrefix(reason) == true, "\(Self.refusal(of: text) ?? "taken")")
  }
}
