import EventLoop
import Foundation
@testable import Gateway
import HTTP
import JSON
import TestSupport
import Testing

@Suite struct DocumentationTests {
  private static func gateway(
    _ loop: EventLoop, _ fakes: [FakeBackend] = [FakeBackend()], assets: String? = nil
  ) throws -> GatewayTests.World {
    let world = GatewayTests.World(loop, fakes, swaggerUI: try assets.map { try SwaggerUI(directory: $0) })
    for fake in fakes { fake.isReady = true }
    return world
  }

  private static func paths(_ answer: GatewayTests.Answer) throws -> [String] {
    try JSONValue(parsing: Array(answer.body.utf8).span)["paths"]?.members?.map(\.name) ?? []
  }

  @Test func `the routes of all backends are described, and the description is sent once`() async throws {
    try await onLoop { loop in
      let world = try Self.gateway(loop, [FakeBackend(), FakeBackend(source: ShelfSchema.rival)])
      while !world.backends.isEveryOfferKnown { try await loop.sleep(for: .milliseconds(1)) }
      let all = try await world.send(.get, "/openapi.json")
      #expect(all.status == 200 && all.fields["content-type"] == "application/json")
      #expect(try Self.paths(all).contains("/v1/books/{id}") && Self.paths(all).contains("/v1/things/{id}"))
      let tag = try #require(all.fields["etag"])
      #expect(try await world.send(.get, "/openapi.json", [("If-None-Match", tag)]).status == 304)
      let coded = try await world.send(.get, "/openapi.json", [("Accept-Encoding", "gzip")])
      #expect(coded.fields["content-encoding"] == "gzip" && coded.fields["etag"] != tag)
      #expect(try await world.send(.head, "/openapi.json").status == 200)
      #expect(try await world.send(.post, "/openapi.json").fields["allow"] == "GET, HEAD, OPTIONS")
    }
  }

  @Test func `a service is described by itself`() async throws {
    try await onLoop { loop in
      let world = try Self.gateway(loop, [FakeBackend(), FakeBackend(source: ShelfSchema.rival)])
      while !world.backends.isEveryOfferKnown { try await loop.sleep(for: .milliseconds(1)) }
      for name in ["Things", "test.rival.Things"] {
        let answer = try await world.send(.get, "/openapi/\(name).json")
        #expect(try answer.status == 200 && Self.paths(answer) == ["/v1/things/{id}"])
      }
      let unknown = try await world.send(.get, "/openapi/Thing.json")
      #expect(unknown.status == 404 && unknown.body.contains("did you mean 'Things'?"))
      for path in ["/openapi", "/openapi/", "/openapi/.json", "/openapi/Things", "/openapix.json"] {
        #expect(try await world.send(.get, path).status == 404)
      }
    }
  }

  @Test func `the description follows what the backends offer`() async throws {
    try await onLoop { loop in
      let fake = FakeBackend()
      let world = GatewayTests.World(loop, [fake])
      #expect(try Self.paths(try await world.send(.get, "/openapi.json")) == [])
      fake.isReady = true
      while !world.backends.isEveryOfferKnown { try await loop.sleep(for: .milliseconds(1)) }
      let known = try await world.send(.get, "/openapi.json")
      #expect(try Self.paths(known).count == 7)
      #expect(try await world.send(.get, "/openapi.json").fields["etag"] == known.fields["etag"])
    }
  }

  @Test func `without Swagger UI the page says what to set`() async throws {
    try await onLoop { loop in
      let world = try Self.gateway(loop)
      let page = try await world.send(.get, "/docs")
      #expect(page.status == 200 && page.body.contains("--docs-assets") && page.body.contains("href=\"openapi.json\""))
      #expect(page.fields["content-security-policy"]?.contains("default-src 'none'") == true)
      #expect(try await world.send(.get, "/docs/initializer.js").status == 404)
      #expect(try await world.send(.get, "/docs/").fields["location"] == "../docs")
    }
  }

  @Test func `Swagger UI is served from its directory, whole or as gzip`() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "docs-\(Foundation.UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let script = String(repeating: "let a = 1;", count: 100)
    for name in ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "secret.txt"] {
      try Data(script.utf8).write(to: directory.appending(path: name))
    }
    try await onLoop { [path = directory.path] loop in
      let world = try Self.gateway(loop, assets: path)
      let plain = try await world.send(.get, "/docs/swagger-ui-bundle.js")
      #expect(plain.status == 200 && plain.body == script)
      #expect(
        plain.fields["content-type"] == "text/javascript; charset=utf-8" && plain.fields["vary"] == "Accept-Encoding")
      let coded = try await world.send(.get, "/docs/swagger-ui-bundle.js", [("Accept-Encoding", "gzip")])
      #expect(coded.fields["content-encoding"] == "gzip")
      let tag = try #require(coded.fields["etag"])
      let again = try await world.send(
        .get, "/docs/swagger-ui-bundle.js", [("Accept-Encoding", "gzip"), ("If-None-Match", tag)])
      #expect(again.status == 304 && again.body.isEmpty)
      #expect(try await world.send(.get, "/docs").body.contains("docs/swagger-ui-bundle.js"))
      #expect(try await world.send(.get, "/docs/initializer.js").body.contains("openapi.json"))
      for name in ["secret.txt", "..", "%2e%2e", "swagger-ui-bundle.js/", ""] where !name.isEmpty {
        #expect(try await world.send(.get, "/docs/\(name)").status == 404)
      }
    }
  }

  @Test func `a directory without Swagger UI stops the start by the file's name`() {
    #expect(
      performing: { try SwaggerUI(directory: "/nowhere") }, throws: { "\($0)".hasPrefix("--docs-assets: /nowhere/") })
  }
}
