import EventLoop
import HTTP
import Identity
import RPC
import TestSupport
import Testing

@testable import Gateway

@Suite struct GatekeeperTests {
  private static let path = "/v1/books/\(ShelfSchema.id)"
  private static let book = #"{"id":"\#(ShelfSchema.id)","title":"Dune","state":"HERE"}"#

  private func withGateway(
    _ gatekeeper: @escaping @Sendable () throws -> Gatekeeper,
    _ body: @escaping @Sendable (GatewayTests.World) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let world = GatewayTests.World(loop, [FakeBackend()], gatekeeper: try gatekeeper())
      world.fakes[0].answer = { _, _ in Self.book }
      world.fakes[0].isReady = true
      try await body(world)
    }
  }

  @Test func `a caller who sends too much is told how much is too much, and when to come back`() async throws {
    // So slow that nothing comes back while the test runs.
    let policy = RateLimiter.Policy(perSecond: 1, burst: 3_600)
    try await withGateway({ Gatekeeper(policy: policy) }) { world in
      let first = try await world.send(.get, Self.path)
      #expect(first.status == 200 && first.fields["ratelimit-policy"] == #""address";q=3600;w=3600"#)
      #expect(first.fields["ratelimit"] == #""address";r=3599;t=1"#)
      for _ in 1..<3_600 { _ = try await world.send(.get, "/nothing") }
      let refused = try await world.send(.get, Self.path, [("X-Request-Id", "r1")])
      #expect(refused.status == 429 && refused.fields["content-type"] == "application/problem+json")
      #expect(
        refused.fields["retry-after"] == "1" && refused.fields["ratelimit"]?.hasPrefix(#""address";r=0;t=3"#) == true)
      #expect(
        refused.body.hasPrefix(
          #"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","#
            + #""title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"#))
      #expect(
        refused.body.hasSuffix(#""code":"RESOURCE_EXHAUSTED","requestId":"r1","violated-policies":["address"]}"#))
      for page in ["/healthz", "/readyz", "/"] { #expect(try await world.send(.get, page).status == 200) }
      #expect(try await world.send(.options, Self.path).status == 204)
    }
  }

  @Test func `users have buckets of their own, and made-up tokens are paid for by the address`() async throws {
    try await onLoop { loop in
      let scene = TokenScene()
      let authenticator = try scene.authenticator()
      let gatekeeper = Gatekeeper(authenticator: authenticator, policy: .init(perSecond: 1, burst: 3))
      let world = GatewayTests.World(loop, [FakeBackend()], gatekeeper: gatekeeper)
      world.fakes[0].answer = { _, _ in Self.book }
      world.fakes[0].isReady = true
      let send = { @Sendable (token: String) in
        try await world.send(.get, Self.path, [("Authorization", "Bearer \(token)")])
      }
      let (one, two) = (scene.token(), scene.token { $0.subject = "two" })
      let first = try await send(one)
      #expect(first.status == 200 && first.fields["ratelimit-policy"] == #""user";q=3;w=3"#)
      _ = try await send(two)
      let made = try await send("made.up.1")
      #expect(made.status == 401)
      let more = try await send("made.up.2")
      #expect(more.status == 429 && more.body.contains(#""violated-policies":["address"]"#))
      #expect(authenticator.verifiedTotal == 3)
      // Whose token is known is not kept out by that, up to the own bucket's end.
      for _ in 0..<2 { #expect(try await send(one).status == 200) }
      let refused = try await send(one)
      #expect(refused.status == 429 && refused.body.contains(#""violated-policies":["user"]"#))
      #expect(try await send(two).status == 200)
    }
  }

  @Test func `what is too much at once is refused at once, and health is still told`() async throws {
    let gatekeeper = Gatekeeper(policy: nil, concurrencyMax: 1)
    try await withGateway({ gatekeeper }) { world in
      let gate = LoopSignal(loop: world.loop)
      world.fakes[0].answer = { _, _ in
        await gate.wait()
        return Self.book
      }
      async let first = world.send(.get, Self.path)
      while world.fakes[0].calls.isEmpty { await Task.yield() }
      let shed = try await world.send(.get, Self.path)
      #expect(shed.status == 503 && shed.fields["retry-after"] == "1")
      #expect(shed.body.contains("http-problem-types#temporary-reduced-capacity"))
      for page in ["/healthz", "/readyz"] { #expect(try await world.send(.get, page).status == 200) }
      #expect(world.fakes[0].calls.count == 1)
      gate.signal()
      let answer = try await first
      #expect(answer.status == 200 && gatekeeper.runningCount == 0)
      gate.signal()
      #expect(try await world.send(.get, Self.path).status == 200)
    }
  }
}
