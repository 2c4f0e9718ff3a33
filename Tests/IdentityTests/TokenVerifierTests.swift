import JSON
import TLS
import Testing
import Wire

@testable import Identity

@Suite struct TokenVerifierTests {
  private static let now = Timestamp(microseconds: 1_800_000_000_000_000)
  private static let user = "0198e1c0-0000-7000-8000-000000000001"

  private static let keys: [JSONWebKeySet.Entry] = SignatureAlgorithm.allCases.map {
    JSONWebKeySet.Entry(id: "key-\($0.rawValue)", key: .generate($0))
  }
  private static let verifier = TokenVerifier(
    keys: JSONWebKeySet(keys), issuer: "https://id.example", audience: "gozon")

  private static func claims(_ change: (inout TokenMaker.Claims) -> Void = { _ in }) -> TokenMaker.Claims {
    var claims = TokenMaker.Claims(subject: user, issuedAt: now, lifetime: .seconds(600))
    claims.issuer = "https://id.example"
    claims.audience = "gozon"
    change(&claims)
    return claims
  }

  /// A token of any header and claims, signed with a key or with nothing.
  private static func token(_ header: String, _ claims: String, _ key: SignatureKey?) -> String {
    let signed = Base64.url.encode(Array(header.utf8)) + "." + Base64.url.encode(Array(claims.utf8))
    return signed + "." + Base64.url.encode(key?.sign(Array(signed.utf8)) ?? [])
  }

  private static let body =
    #"{"sub":"\#(user)","exp":1800000600,"iss":"https://id.example","aud":["other","gozon"],"scope":"operator read"}"#

  private static func refusal(of token: String, at time: Timestamp = now) -> String? {
    do throws(TokenRefusal) {
      _ = try verifier.verify(token, now: time)
      return nil
    } catch {
      return error.description
    }
  }

  @Test(arguments: SignatureAlgorithm.allCases)
  func `a token of each algorithm is taken, with its subject and scopes`(algorithm: SignatureAlgorithm) throws {
    let entry = try #require(Self.keys.first { $0.key.algorithm == algorithm })
    let token = try #require(TokenMaker(entry).token(Self.claims { $0.scopes = ["operator", "read"] }))
    let identity = try Self.verifier.verify(token, now: Self.now)
    #expect(
      identity
        == Identity(
          subject: Self.user, scopes: ["operator", "read"], expiresAt: Timestamp(microseconds: 1_800_000_600_000_000)))
    // Also without a name of the key, and with an audience of several.
    let bare = Self.token(#"{"alg":"\#(algorithm.rawValue)"}"#, Self.body, entry.key)
    #expect(try Self.verifier.verify(bare, now: Self.now).scopes == ["operator", "read"])
  }

  @Test func `the examples of the RFCs verify`() throws {
    // RFC 8037 appendix A.4, RFC 7515 appendices A.3 and A.1.
    let set = try JSONWebKeySet(
      parsing: Array(
        """
        {"keys": [
          {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
          {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
           "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
          {"kty": "oct",
           "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}
        ]}
        """.utf8))
    for (entry, token) in zip(
      set.entries,
      [
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
          + "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
          + "Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
          + "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
      ])
    {
      let parts = token.split(separator: ".")
      let signature = try #require(Base64.url.decode(parts[2]))
      #expect(entry.key.verifies(signature, of: Array("\(parts[0]).\(parts[1])".utf8)))
      for index in signature.indices {
        var wrong = signature
        wrong[index] ^= 1
        #expect(!entry.key.verifies(wrong, of: Array("\(parts[0]).\(parts[1])".utf8)))
      }
    }
  }

  @Test func `times count to the second, with half a minute for clocks that differ`() {
    let token = { (claims: String) in Self.token(#"{"alg":"HS256"}"#, claims, Self.keys[2].key) }
    let at = { (offset: Int64) in Timestamp(microseconds: Self.now.microseconds + offset * 1_000_000) }
    let plain = token(Self.body)
    #expect(Self.refusal(of: plain, at: at(600)) == nil && Self.refusal(of: plain, at: at(629)) == nil)
    #expect(Self.refusal(of: plain, at: at(630)) == "has expired")
    let later = token(Self.body.replacing("\"sub\"", with: #""nbf":1800000100,"sub""#))
    #expect(Self.refusal(of: later, at: at(69)) == "is not valid yet" && Self.refusal(of: later, at: at(70)) == nil)
  }

  @Test(arguments: [
    (#"{"sub":"a","iss":"https://id.example","aud":"gozon"}"#, #"has no "exp": it must expire"#),
    (#"{"sub":"a","exp":"1900000000","iss":"https://id.example","aud":"gozon"}"#, #"has no "exp": it must expire"#),
    (#"{"sub":"a","exp":1900000000,"aud":"gozon"}"#, #"is of another issuer ("iss")"#),
    (#"{"sub":"a","exp":1900000000,"iss":"https://id.example/","aud":"gozon"}"#, #"is of another issuer ("iss")"#),
    (#"{"sub":"a","exp":1900000000,"iss":"https://id.example"}"#, #"is made for somebody else ("aud")"#),
    (#"{"sub":"a","exp":1900000000,"iss":"https://id.example","aud":["x"]}"#, #"is made for somebody else ("aud")"#),
    (
      #"{"exp":1900000000,"iss":"https://id.example","aud":"gozon"}"#,
      #"has no "sub" of 1 to 255 visible characters of ASCII"#
    ),
    (
      #"{"sub":"a b","exp":1900000000,"iss":"https://id.example","aud":"gozon"}"#,
      #"has no "sub" of 1 to 255 visible characters of ASCII"#
    ),
    (
      #"{"sub":"a","exp":1900000000,"nbf":"x","iss":"https://id.example","aud":"gozon"}"#,
      #"has an "nbf" that is no time"#
    ),
    (
      #"{"sub":"a","exp":1900000000,"iss":"https://id.example","aud":"gozon","scope":7}"#,
      #"has a "scope" that is no list of words"#
    ),
    (
      #"{"sub":"a","sub":"b","exp":1900000000,"iss":"https://id.example","aud":"gozon"}"#,
      "is no JSON Web Token in compact form"
    ),
    ("[]", "is no JSON Web Token in compact form"), ("{", "is no JSON Web Token in compact form"),
  ])
  func `claims that do not fit are refused, and why is said`(claims: String, reason: String) {
    #expect(Self.refusal(of: Self.token(#"{"alg":"EdDSA"}"#, claims, Self.keys[0].key)) == reason)
  }

  @Test func `no algorithm but a key's own is taken for it`() throws {
    let (ed, ec, mac) = (Self.keys[0].key, Self.keys[1].key, Self.keys[2].key)
    for header in [
      #"{"alg":"none"}"#, #"{"alg":"None"}"#, #"{"alg":"RS256"}"#, #"{"alg":"ES384"}"#, "{}", #"{"alg":7}"#,
    ] {
      #expect(Self.refusal(of: Self.token(header, Self.body, nil))?.contains("algorithm") == true)
      #expect(Self.refusal(of: Self.token(header, Self.body, ed))?.contains("algorithm") == true)
    }
    // Key confusion: the public key's bytes as the secret of an HMAC.
    guard case .ed25519(let point, _) = ed.parts, case .p256(let x, let y, _) = ec.parts else {
      Issue.record("the keys have other parts")
      return
    }
    for secret in [point, x, y, x + y, [4] + x + y, Array(Base64.url.encode(point).utf8)] {
      let forged = try #require(SignatureKey(hmac: secret))
      #expect(Self.refusal(of: Self.token(#"{"alg":"HS256"}"#, Self.body, forged)) == TokenRefusal.unsigned.description)
    }
    // A key under another's name, an unknown name, and another key of the same kind.
    let unsigned = TokenRefusal.unsigned.description
    #expect(Self.refusal(of: Self.token(#"{"alg":"EdDSA","kid":"key-ES256"}"#, Self.body, ed)) == unsigned)
    #expect(Self.refusal(of: Self.token(#"{"alg":"EdDSA","kid":"key-9"}"#, Self.body, ed)) == unsigned)
    #expect(Self.refusal(of: Self.token(#"{"alg":"HS256"}"#, Self.body, ed)) == unsigned)
    for algorithm in SignatureAlgorithm.allCases {
      let header = #"{"alg":"\#(algorithm.rawValue)"}"#
      #expect(Self.refusal(of: Self.token(header, Self.body, .generate(algorithm))) == unsigned)
    }
    #expect(
      Self.refusal(of: Self.token(#"{"alg":"HS256","crit":["x"],"x":1}"#, Self.body, mac))?.contains("crit") == true)
    #expect(
      Self.refusal(of: Self.token(#"{"alg":"HS256","typ":"dpop+jwt"}"#, Self.body, mac))?.contains("type") == true)
  }

  @Test func `a token that was changed anywhere is refused`() {
    let token = Self.token(#"{"alg":"ES256","kid":"key-ES256"}"#, Self.body, Self.keys[1].key)
    #expect(Self.refusal(of: token) == nil)
    for index in token.utf8.indices {
      for letter in [UInt8(ascii: "A"), UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: "_")] {
        var bytes = Array(token.utf8)
        let place = token.utf8.distance(from: token.utf8.startIndex, to: index)
        if bytes[place] == letter { continue }
        bytes[place] = letter
        #expect(Self.refusal(of: String(decoding: bytes, as: UTF8.self)) != nil, "\(place) \(letter)")
      }
      #expect(Self.refusal(of: String(token[..<index])) != nil)
    }
    for rubbish in ["", ".", "..", "...", "a.b.c", String(repeating: "a", count: 10_000), token + ".", "." + token] {
      #expect(Self.refusal(of: rubbish) != nil)
    }
  }
}
