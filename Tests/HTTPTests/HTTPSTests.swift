import EventLoop
@testable import HTTP
import TLS
import TestSupport
import Testing

@Suite struct HTTPSTests {
  private static let certificates = Result { try TestCertificates() }
  private static let request = "GET /secret HTTP/1.1\r\nHost: x\r\n\r\n"

  private static func clientEngine(_ protocols: [String]) throws -> TLSEngine {
    let configuration = TLSConfiguration.client(
      serverAuthorities: try certificates.get().authority, applicationProtocols: protocols)
    return try TLSContext(configuration).makeEngine(serverName: "127.0.0.1")
  }

  private func withServer(_ body: @escaping @Sendable (HTTPServer) async throws -> Void) async throws {
    let identity = try Self.certificates.get().issue("https-\(UInt32.random(in: 0 ... .max))")
    try await onLoop { loop in
      let source = try TLSContextSource(
        .server(identity: identity, applicationProtocols: HTTPServer.applicationProtocols))
      let server = try HTTPServer(loop: loop, host: "127.0.0.1", port: 0, tls: source) { request in
        HTTPResponse.content("text/plain", text(request.path))
      }
      try await body(server)
      server.beginGracefulShutdown()
      await server.run()
      #expect(server.connectionCount == 0)
    }
  }

  @Test(arguments: [["http/1.1"], []]) func `requests by TLS are answered by TLS`(protocols: [String]) async throws {
    try await withServer { server in
      let client = try await RawClient(server, tls: try Self.clientEngine(protocols))
      client.send(Self.request + Self.request)
      try await client.wait { client.received.hasSuffix("/secret") && client.received.count > 150 }
      #expect(client.received.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(client.connection.applicationProtocol == protocols.first)
    }
  }

  @Test func `a client that speaks plaintext learns that this port does not`() async throws {
    try await withServer { server in
      let client = try await RawClient(server)
      client.send(Self.request)
      try await client.waitForClose()
      #expect(client.received.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
      #expect(client.received.contains("Connection: close\r\n") && client.received.contains("This port speaks HTTPS"))
      let other = try await RawClient(server)
      other.send([0, 1, 2, 3])
      try await other.waitForClose()
      #expect(other.bytes.isEmpty)
    }
  }

  @Test func `a client of other protocols is refused`() async throws {
    try await withServer { server in
      let client = try await RawClient(server, tls: try Self.clientEngine(["gopher"]))
      client.send(Self.request)
      try await client.waitForClose()
      #expect(client.bytes.isEmpty && client.error?.tls?.code == .alert(120))
    }
  }
}
