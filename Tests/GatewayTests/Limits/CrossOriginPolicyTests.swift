import EventLoop
import HTTP
import TestSupport
import Testing

@testable import Gateway

@Suite struct CrossOriginPolicyTests {
  private static let path = "/v1/books/\(ShelfSchema.id)"
  private static let shop = ("Origin", "https://shop.example")
  private static let preflight = ("Access-Control-Request-Method", "GET")

  private func withGateway(
    origins: [String], _ body: @escaping @Sendable (GatewayTests.World) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let gatekeeper = Gatekeeper(policy: nil, crossOrigin: CrossOriginPolicy(origins: origins))
      let world = GatewayTests.World(loop, [FakeBackend()], gatekeeper: gatekeeper)
      world.fakes[0].answer = { _, _ in #"{"id":"\#(ShelfSchema.id)","title":"Dune","state":"HERE"}"# }
      world.fakes[0].isReady = true
      try await body(world)
    }
  }

  @Test func `a page of an origin that is named may call, and read what it is told`() async throws {
    try await withGateway(origins: ["https://shop.example", "http://localhost:3000"]) { world in
      let preflight = try await world.send(.options, Self.path, [Self.shop, Self.preflight])
      #expect(preflight.status == 204 && preflight.fields["access-control-allow-origin"] == "https://shop.example")
      #expect(preflight.fields["access-control-allow-methods"] == "GET, HEAD, OPTIONS")
      #expect(preflight.fields["access-control-allow-headers"]?.contains("Authorization, ") == true)
      #expect(preflight.fields["access-control-max-age"] == "7200" && preflight.fields["vary"] == "Origin")
      for path in [Self.path, "/nothing", "/"] {
        let answer = try await world.send(.get, path, [Self.shop])
        #expect(answer.fields["access-control-allow-origin"] == "https://shop.example", "also where it is refused")
        #expect(answer.fields["access-control-expose-headers"]?.contains("ETag, ") == true)
        #expect(
          answer.fields.values(of: "vary").contains("Origin")
            && answer.fields["access-control-allow-credentials"] == nil)
      }
    }
  }

  @Test(arguments: [
    "https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null", "*", "",
  ])
  func `a page of another origin may not`(origin: String) async throws {
    try await withGateway(origins: ["https://shop.example"]) { world in
      for (method, fields) in [(HTTPMethod.get, []), (.options, [Self.preflight])] as [(HTTPMethod, [(String, String)])]
      {
        let answer = try await world.send(method, Self.path, [("Origin", origin)] + fields)
        #expect(answer.fields["vary"] == "Origin", "a cache must not give this answer to a page that may")
        for index in 0..<answer.fields.count {
          #expect(!answer.fields.field(at: index).name.lowercased().hasPrefix("access-control"))
        }
      }
      let plain = try await world.send(.get, Self.path)
      #expect(plain.fields["vary"] == "Origin" && plain.fields["access-control-allow-origin"] == nil)
    }
  }

  @Test func `everybody is allowed without being named`() async throws {
    try await withGateway(origins: ["*"]) { world in
      let answer = try await world.send(.get, Self.path, [("Origin", "https://anywhere.example")])
      #expect(answer.fields["access-control-allow-origin"] == "*" && answer.fields["vary"] == nil)
      #expect(answer.fields["access-control-allow-credentials"] == nil)
    }
  }
}
