import EventLoop
import HTTP
import Identity
import RPC
import TLS
import TestSupport
import Testing
import Wire

@testable import Gateway

@Suite struct AuthenticationTests {
  private static let path = "/v1/books/\(ShelfSchema.id)"
  private static let book = #"{"id":"\#(ShelfSchema.id)","title":"Dune","state":"HERE"}"#
  /// The schema of the shelf with one method for everybody.
  private static let source = ShelfSchema.source.replacing(
    #"@http(GET, "/v1/books/{id}", etag)"#, with: #"@http(GET, "/v1/books/{id}", etag) @access(anyone)"#)

  private func withGateway(
    _ source: String = ShelfSchema.source,
    _ body: @escaping @Sendable (GatewayTests.World, TokenScene) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let scene = TokenScene()
      let world = GatewayTests.World(
        loop, [FakeBackend(source: source)], gatekeeper: Gatekeeper(authenticator: try scene.authenticator()))
      world.fakes[0].answer = { _, _ in Self.book }
      world.fakes[0].isReady = true
      try await body(world, scene)
    }
  }

  private static func bearer(_ token: String) -> [(String, String)] { [("Authorization", "Bearer \(token)")] }

  @Test func `a request without a token is told to bring one, and calls nothing`() async throws {
    try await withGateway { world, _ in
      for (fields, status) in [([], 401), ([("Authorization", "Basic YTpi")], 401)] as [([(String, String)], Int)] {
        let answer = try await world.send(.get, Self.path, fields)
        #expect(answer.status == status && answer.fields["www-authenticate"] == #"Bearer realm="gozon""#)
        #expect(answer.fields["content-type"] == "application/problem+json")
        #expect(answer.body.contains(#""code":"UNAUTHENTICATED""#) && answer.body.contains("TOKEN_MISSING"))
      }
      #expect(world.fakes[0].calls.isEmpty)
    }
  }

  @Test(arguments: [
    [("Authorization", "Bearer")], [("Authorization", "Bearer ")], [("Authorization", "Bearer a b")],
    [("Authorization", "Bearer é")], [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
  ])
  func `credentials that cannot be read are a bad request`(fields: [(String, String)]) async throws {
    try await withGateway { world, _ in
      let answer = try await world.send(.get, Self.path, fields)
      #expect(answer.status == 400)
      #expect(answer.fields["www-authenticate"] == #"Bearer realm="gozon", error="invalid_request""#)
    }
  }

  @Test func `the services are told who it is, whatever the client's headers say`() async throws {
    try await withGateway { world, scene in
      let lies = [("Principal", "root"), ("Scopes", "operator"), ("X-Principal", "root"), ("Request-Id", "r")]
      let token = scene.token { $0.scopes = ["read", "write"] }
      let answer = try await world.send(.get, Self.path, Self.bearer(token) + lies)
      #expect(answer.status == 200)
      let metadata = try #require(world.fakes[0].calls.first).options.metadata
      #expect(metadata.principal == Principal(subject: TokenScene.user, scopes: ["read", "write"]))
      #expect(Set(metadata.pairs.map(\.name)) == ["traceparent", "request-id", "principal", "scopes"])
      let lower = try await world.send(.get, Self.path, [("Authorization", "bearer   \(scene.token())")])
      #expect(lower.status == 200 && world.fakes[0].calls[1].options.metadata.principal?.scopes == [])
    }
  }

  @Test func `without keys the client's headers say nothing either`() async throws {
    try await onLoop { loop in
      let world = GatewayTests.World(loop, [FakeBackend()])
      world.fakes[0].answer = { _, _ in Self.book }
      world.fakes[0].isReady = true
      let lies = [("Principal", "root"), ("Scopes", "operator"), ("Authorization", "Bearer x")]
      let answer = try await world.send(.get, Self.path, lies)
      #expect(answer.status == 200)
      #expect(world.fakes[0].calls[0].options.metadata.principal == nil)
      #expect(world.fakes[0].calls[0].options.metadata["scopes"] == nil)
    }
  }

  @Test func `what is for everybody is for strangers too, who are nobody there`() async throws {
    try await withGateway(Self.source) { world, scene in
      let answer = try await world.send(.get, Self.path)
      #expect(answer.status == 200)
      #expect(world.fakes[0].calls[0].options.metadata.principal == Principal(subject: ""))
      #expect(try await world.send(.get, Self.path, Self.bearer(scene.token())).status == 200)
      // Who shows a token means it: one that is not taken is not passed over.
      #expect(try await world.send(.get, Self.path, Self.bearer("x")).status == 401)
      #expect(try await world.send(.post, Self.path + "/lend").status == 401)
    }
  }

  @Test func `pages need no token`() async throws {
    try await withGateway { world, _ in
      let options = try await world.send(.options, Self.path)
      #expect(options.status == 204)
      for page in ["/", "/healthz", "/readyz"] { #expect(try await world.send(.get, page).status == 200) }
    }
  }

  @Test func `a token that is not taken is refused, and why is said`() async throws {
    try await withGateway { world, scene in
      let now = Timestamp.now.microseconds / 1_000_000
      let claims = { (start: Int64, end: Int64) in
        #"{"sub":"\#(TokenScene.user)","iss":"\#(TokenScene.issuer)","aud":"gozon","nbf":\#(start),"exp":\#(end)}"#
      }
      guard case .ed25519(let point, _) = scene.key.key.parts, let forged = SignatureKey(hmac: point) else {
        Issue.record("the key has other parts")
        return
      }
      let good = claims(now, now + 600)
      let header = #"{"alg":"EdDSA","kid":"one"}"#
      let tokens: [(token: String, reason: String)] = [
        (TokenScene.token(#"{"alg":"none"}"#, good, nil), "algorithm"),
        (TokenScene.token(#"{"alg":"HS256","kid":"one"}"#, good, forged), "not signed by a key"),
        (TokenScene.token(header, good, .generate(.edDSA)), "not signed by a key"),
        (TokenScene.token(#"{"alg":"EdDSA","kid":"two"}"#, good, scene.key.key), "not signed by a key"),
        (TokenScene.token(header, claims(now, now - 31), scene.key.key), "has expired"),
        (TokenScene.token(header, claims(now + 60, now + 600), scene.key.key), "is not valid yet"),
        (scene.token { $0.issuer = "https://evil.example" }, "another issuer"),
        (scene.token { $0.audience = "others" }, "somebody else"), ("x.y.z", "no JSON Web Token"),
      ]
      for (token, reason) in tokens {
        let answer = try await world.send(.get, Self.path, Self.bearer(token))
        #expect(answer.status == 401 && answer.body.contains(reason), "\(answer.body)")
        let challenge = answer.fields["www-authenticate"]
        #expect(
          challenge?.hasPrefix(#"Bearer realm="gozon", error="invalid_token", error_description="The token"#) == true)
        #expect(!answer.body.contains(token))
      }
      #expect(
        try await world.send(.get, Self.path, Self.bearer(TokenScene.token(header, good, scene.key.key))).status == 200)
      #expect(world.fakes[0].calls.count == 1)
    }
  }

  @Test func `what is for operators says which scope would do`() async throws {
    try await withGateway { world, scene in
      world.fakes[0].answer = { _, _ in
        throw RPCError(.permissionDenied, "this is for operators", reason: "OPERATORS_ONLY")
      }
      let answer = try await world.send(.get, Self.path, Self.bearer(scene.token()))
      #expect(answer.status == 403 && answer.body.contains(#""code":"PERMISSION_DENIED""#))
      #expect(
        answer.fields["www-authenticate"] == #"Bearer realm="gozon", error="insufficient_scope", scope="operator""#)
      world.fakes[0].answer = { _, _ in throw RPCError(.permissionDenied, "another user's", reason: "NOT_YOURS") }
      let others = try await world.send(.get, Self.path, Self.bearer(scene.token()))
      #expect(others.status == 403 && others.fields["www-authenticate"] == nil)
    }
  }

  @Test func `a backend that does not let the gateway in is no matter of its client`() async throws {
    try await withGateway { world, scene in
      world.fakes[0].answer = { _, _ in
        throw RPCError(.unauthenticated, "set GOZON_SERVICE_TOKEN", reason: "CONNECTION_REFUSED")
      }
      let answer = try await world.send(.post, Self.path + "/lend", Self.bearer(scene.token()))
      #expect(answer.status == 503 && answer.body.contains(#""code":"UNAVAILABLE""#))
      #expect(!answer.body.contains("GOZON_SERVICE_TOKEN"))
    }
  }
}
