import EventLoop
@testable import HTTP
import TestSupport
import Testing

@Suite struct HTTPServerTests {
  /// Answers with the path; `/slow` when told, `/never` when cancelled.
  // Confined to the loop of its test.
  final class Site: @unchecked Sendable {
    var slow: UnsafeContinuation<Void, Never>?
    private(set) var cancelled = 0

    func answer(_ request: HTTPRequest, on loop: EventLoop) async -> HTTPResponse {
      switch text(request.path) {
      case "/slow":
        await withUnsafeContinuation { slow = $0 }
      case "/never":
        do { try await loop.sleep(for: .seconds(60)) } catch { cancelled += 1 }
      case "/large":
        return HTTPResponse(.ok, body: [UInt8](repeating: 0x61, count: 3_000_000))
      default:
        break
      }
      return HTTPResponse.content("text/plain", text(request.path) + text(request.body[...]))
    }
  }

  private static let host = "HTTP/1.1\r\nHost: x\r\n"

  /// Runs `body` beside a server, then shuts the server down.
  private func withServer(
    _ limits: HTTPLimits = HTTPLimits(), _ body: @escaping @Sendable (HTTPServer, Site) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let site = Site()
      let server = try HTTPServer(loop: loop, host: "127.0.0.1", port: 0, limits: limits) { request in
        await site.answer(request, on: loop)
      }
      try await body(server, site)
      server.beginGracefulShutdown()
      await server.run()
      #expect(server.connectionCount == 0 && server.requestCount == 0 && server.held.count == 0)
    }
  }

  private func ok(_ body: String, _ fields: String = "") -> String {
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
  }

  @Test func `a connection is kept, and closed when the client asks`() async throws {
    try await withServer { server, _ in
      let client = try await RawClient(server)
      client.send("GET /a \(Self.host)\r\n")
      #expect(try await client.responses(1) == self.ok("/a"))
      client.send("POST /b \(Self.host)Content-Length: 3\r\nConnection: close\r\n\r\nxyzGET /ignored \(Self.host)\r\n")
      #expect(try await client.responses(2) == self.ok("/a") + self.ok("/bxyz", "Connection: close\r\n"))
      try await client.waitForClose()
    }
  }

  @Test func `pipelined responses come in the order of their requests`() async throws {
    try await withServer { server, site in
      let client = try await RawClient(server)
      client.send("GET /slow \(Self.host)\r\nGET /b \(Self.host)\r\nHEAD /c \(Self.host)\r\nBAD\r\n\r\n")
      try await client.wait { site.slow != nil }
      #expect(client.received.isEmpty)
      site.slow?.resume()
      let responses = try await client.responses(4)
      let head = self.ok("/c").dropLast(2)
      #expect(responses.hasPrefix(self.ok("/slow") + self.ok("/b") + head + "HTTP/1.1 400 Bad Request\r\n"))
      try await client.waitForClose()
    }
  }

  @Test func `bodies of all connections together are bounded, and requests without one go on`() async throws {
    var limits = HTTPLimits()
    limits.heldBytesInAllMax = 1_000
    try await withServer(limits) { server, site in
      let refused = "HTTP/1.1 503 Service Unavailable\r\n"
      let post = { (path: String, length: Int, count: Int) in
        "POST \(path) \(Self.host)Content-Length: \(length)\r\n\r\n" + String(repeating: "a", count: count)
      }
      let (first, second, third) = (
        try await RawClient(server), try await RawClient(server), try await RawClient(server)
      )
      first.send(post("/a", 3_000, 900))
      try await first.wait { server.held.count == 900 }
      second.send(post("/b", 3_000, 200))
      let answer = try await second.responses(1)
      #expect(answer.hasPrefix(refused) && answer.contains("Retry-After: 1\r\n"))
      try await second.waitForClose()
      third.send(post("/c", 100, 100) + "GET /d \(Self.host)\r\n")
      #expect(try await third.responses(2) == self.ok("/c" + String(repeating: "a", count: 100)) + self.ok("/d"))
      first.connection.abort()
      try await third.wait { server.held.count == 0 }
      // Those in work count until they are answered.
      third.send(post("/slow", 900, 900))
      try await third.wait { site.slow != nil }
      let fourth = try await RawClient(server)
      fourth.send(post("/e", 101, 101) + "GET /f \(Self.host)\r\n")
      #expect(try await fourth.responses(2).hasPrefix(refused))
      #expect(fourth.received.withoutDates.hasSuffix(self.ok("/f")))
      site.slow?.resume()
      _ = try await third.responses(3)
      fourth.send(post("/g", 101, 101))
      #expect(try await fourth.responses(3).hasSuffix(self.ok("/g" + String(repeating: "a", count: 101))))
      for client in [third, fourth] { client.connection.abort() }
    }
  }

  @Test func `more pipelined requests than may be in work wait, and all are answered`() async throws {
    var limits = HTTPLimits()
    limits.pipelineDepthMax = 2
    try await withServer(limits) { server, site in
      let client = try await RawClient(server)
      let many = (0..<200).map { "GET /\($0) \(Self.host)\r\n" }.joined()
      client.send("GET /slow \(Self.host)\r\n" + many)
      try await client.wait { site.slow != nil }
      try await server.loop.sleep(for: .milliseconds(20))
      #expect(server.requestCount == 1)
      site.slow?.resume()
      #expect(try await client.responses(201) == self.ok("/slow") + (0..<200).map { self.ok("/\($0)") }.joined())
    }
  }

  @Test func `the body is asked for when the client waits for that, in its turn`() async throws {
    try await withServer { server, site in
      let client = try await RawClient(server)
      client.send("GET /slow \(Self.host)\r\n")
      client.send("POST /b \(Self.host)Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
      try await client.wait { site.slow != nil }
      site.slow?.resume()
      #expect(try await client.responses(2) == self.ok("/slow") + "HTTP/1.1 100 Continue\r\n\r\n")
      client.send("ok")
      #expect(
        try await client.responses(3) == self.ok("/slow") + "HTTP/1.1 100 Continue\r\n\r\n" + self.ok("/bok"))
    }
  }

  @Test func `a client that goes away cancels its request`() async throws {
    try await withServer { server, site in
      let client = try await RawClient(server)
      client.send("GET /never \(Self.host)Connection: close\r\n\r\n")
      try await client.wait { server.requestCount == 1 }
      client.connection.abort()
      try await client.wait { site.cancelled == 1 && server.requestCount == 0 }
    }
  }

  @Test func `clients that take too long are shed, with 408 where they began something`() async throws {
    var limits = HTTPLimits()
    limits.headTimeout = .milliseconds(40)
    limits.bodyTimeout = .milliseconds(40)
    limits.idleTimeout = .milliseconds(80)
    try await withServer(limits) { server, _ in
      let idle = try await RawClient(server)
      let head = try await RawClient(server)
      let body = try await RawClient(server)
      head.send("GET / ")
      body.send("POST / \(Self.host)Content-Length: 5\r\n\r\nab")
      for client in [idle, head, body] { try await client.waitForClose() }
      #expect(idle.received.isEmpty)
      #expect(head.received.hasPrefix("HTTP/1.1 408 ") && body.received.hasPrefix("HTTP/1.1 408 "))
    }
  }

  @Test func `a client that does not read its response is cut`() async throws {
    var limits = HTTPLimits()
    limits.sendTimeout = .milliseconds(40)
    try await withServer(limits) { server, _ in
      let client = try await RawClient(server)
      client.connection.pauseReading()
      client.send("GET /large \(Self.host)\r\nGET /large \(Self.host)\r\nGET /large \(Self.host)\r\n")
      try await client.wait { server.connectionCount == 1 }
      try await client.wait { server.connectionCount == 0 }
    }
  }

  @Test func `connections and requests beyond the limits get 503`() async throws {
    var limits = HTTPLimits()
    limits.connectionsMax = 1
    limits.requestsMax = 1
    try await withServer(limits) { server, site in
      let first = try await RawClient(server)
      first.send("GET /slow \(Self.host)\r\n")
      try await first.wait { site.slow != nil }
      let second = try await RawClient(server)
      try await second.waitForClose()
      #expect(second.received.hasPrefix("HTTP/1.1 503 "))
      first.send("GET /b \(Self.host)\r\n")
      try await server.loop.sleep(for: .milliseconds(20))
      site.slow?.resume()
      let responses = try await first.responses(2)
      #expect(responses.hasPrefix(self.ok("/slow") + "HTTP/1.1 503 "))
    }
  }

  @Test func `a graceful shutdown finishes what runs and closes what is idle`() async throws {
    try await withServer { server, site in
      let idle = try await RawClient(server)
      let busy = try await RawClient(server)
      busy.send("GET /slow \(Self.host)\r\n")
      try await busy.wait { site.slow != nil }
      server.beginGracefulShutdown()
      try await idle.waitForClose()
      #expect(idle.received.isEmpty && busy.received.isEmpty)
      site.slow?.resume()
      #expect(try await busy.responses(1) == self.ok("/slow", "Connection: close\r\n"))
      try await busy.waitForClose()
    }
  }

  @Test func `a shutdown cancels what does not finish in time`() async throws {
    var limits = HTTPLimits()
    limits.drainTimeout = .milliseconds(20)
    try await withServer(limits) { server, site in
      let client = try await RawClient(server)
      client.send("GET /never \(Self.host)\r\n")
      try await client.wait { server.requestCount == 1 }
      server.beginGracefulShutdown()
      await server.run()
      try await client.wait { site.cancelled == 1 && server.requestCount == 0 }
    }
  }
}
