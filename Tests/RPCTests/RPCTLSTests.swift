import API
import EventLoop
import TLS
import TestSupport
import Testing
import Wire

@testable import RPC

@Suite struct RPCTLSTests {
  private static let certificates = Result { try TestCertificates() }
  private static let serverIdentity = Result { try certificates.get().issue("server") }
  private static let clientIdentity = Result { try certificates.get().issue("client") }

  private static func server(clientAuthorities: TLSConfiguration.File? = nil) throws -> TLSContextSource {
    try TLSContextSource(
      .server(
        identity: serverIdentity.get(), clientAuthorities: clientAuthorities, applicationProtocols: [RPCProtocol.name]))
  }

  private static func client(
    authorities: TLSConfiguration.File? = nil, identity: TLSConfiguration.Identity? = nil
  ) throws -> TLSContextSource {
    try TLSContextSource(
      .client(
        serverAuthorities: authorities ?? certificates.get().authority, identity: identity,
        applicationProtocols: [RPCProtocol.name]))
  }

  /// Runs `body` with a client and a server that are set up so.
  private static func withPair<Result: Sendable>(
    server serverTLS: TLSContextSource?, client clientTLS: TLSContextSource?, host: String = "127.0.0.1",
    payloadBytesMax: Int = 4 << 20,
    _ body: @escaping @Sendable (EventLoop, RPCServer, RPCClient) async throws -> Result
  ) async throws -> Result {
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [EchoOrders().definition], tls: serverTLS)
      var options = RPCClient.Options()
      options.tls = clientTLS
      options.payloadBytesMax = payloadBytesMax
      let client = RPCClient(loop: loop, host: host, port: server.port, options: options)
      return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await server.run() }
        group.addTask { await client.run() }
        defer { group.cancelAll() }
        return try await body(loop, server, client)
      }
    }
  }

  /// Why the client cannot connect.
  private static func refusal(
    server: TLSContextSource?, client: TLSContextSource?, host: String = "127.0.0.1"
  ) async throws -> String {
    try await withPair(server: server, client: client, host: host) { _, server, client in
      do throws(RPCError) { try await client.untilConnected() } catch {
        return error.message.replacing("\(server.port)", with: "PORT")
      }
      return "connected"
    }
  }

  @Test func `many calls go over one connection by TLS`() async throws {
    let sum = try await Self.withPair(server: Self.server(), client: Self.client(), host: "localhost") { _, _, client in
      try await withThrowingTaskGroup(of: Int64.self) { group in
        for amount in 1...500 {
          group.addTask {
            var request = RPCTests.request
            request.amount = Int64(amount)
            return try await OrdersClient(client).createOrder(request, options: RPCTests.options).amount
          }
        }
        return try await group.reduce(0, +)
      }
    }
    #expect(sum == 125_250)
  }

  @Test func `large requests and responses go through mutual TLS`() async throws {
    let authorities = try Self.certificates.get().authority
    try await Self.withPair(
      server: Self.server(clientAuthorities: authorities), client: Self.client(identity: Self.clientIdentity.get()),
      payloadBytesMax: 8 << 20
    ) { _, _, client in
      var request = RPCTests.request
      request.description = "large"
      // What lies behind the known fields of a message is skipped by its reader, and travels all the same.
      let payload = request.encoded() + [UInt8](repeating: 7, count: 1 << 20)
      let options = CallOptions(timeout: .seconds(30), waitsForReady: true)
      let result = try await client.call(method: OrdersMethods.createOrder.id, payload: payload, options: options)
      #expect(result.payload.count > 5 << 20 && result.payload.last == UInt8(ascii: "x"))
    }
  }

  @Test func `a shutdown is graceful by TLS too`() async throws {
    try await Self.withPair(server: Self.server(), client: Self.client()) { loop, server, client in
      var request = RPCTests.request
      request.description = "slow"
      _ = try await OrdersClient(client).createOrder(RPCTests.request, options: RPCTests.options)
      async let order = OrdersClient(client).createOrder(request, options: RPCTests.options)
      try await loop.sleep(for: .milliseconds(5))
      server.beginGracefulShutdown()
      #expect(try await order.amount == 10)
      await server.run()
    }
  }

  @Test func `a server of an unknown authority is not called`() async throws {
    let others = try TestCertificates()
    let text = try await Self.refusal(server: Self.server(), client: Self.client(authorities: others.authority))
    #expect(text.hasPrefix("the server at 127.0.0.1:PORT is not trusted: "))
    #expect(text.contains("--rpc-tls-ca (GOZON_RPC_TLS_CA) must hold the authority that issued it"))
  }

  @Test func `a server of another name is not called`() async throws {
    let identity = try Self.certificates.get().issue("elsewhere", for: ["DNS:example.com"])
    let server = try TLSContextSource(.server(identity: identity))
    #expect(try await Self.refusal(server: server, client: Self.client()).contains("IP address mismatch"))
    #expect(
      try await Self.refusal(server: server, client: Self.client(), host: "localhost").contains("hostname mismatch"))
  }

  @Test func `a client without the certificate that is wanted learns which settings to change`() async throws {
    let text = try await Self.refusal(
      server: Self.server(clientAuthorities: Self.certificates.get().authority), client: Self.client())
    #expect(
      text == "the server at 127.0.0.1:PORT asks its clients for a certificate: set --rpc-tls-certificate "
        + "(GOZON_RPC_TLS_CERTIFICATE) and --rpc-tls-key (GOZON_RPC_TLS_KEY)")
  }

  @Test func `a client with a certificate of another authority learns it`() async throws {
    let others = try TestCertificates()
    let text = try await Self.refusal(
      server: Self.server(clientAuthorities: Self.certificates.get().authority),
      client: Self.client(identity: others.issue("stranger")))
    #expect(text.hasPrefix("the server at 127.0.0.1:PORT refused TLS: "))
    #expect(text.hasSuffix("must be of an authority of its --rpc-tls-client-ca"))
  }

  @Test func `a client of TLS tells a server without it, and which settings to change`() async throws {
    #expect(
      try await Self.refusal(server: nil, client: Self.client())
        == "the server at 127.0.0.1:PORT does not speak TLS: unset --rpc-tls-ca (GOZON_RPC_TLS_CA) here, or give the "
        + "server a certificate by --rpc-tls-certificate (GOZON_RPC_TLS_CERTIFICATE)")
  }

  @Test func `a client without TLS is told by the server which setting to change`() async throws {
    let text = try await Self.refusal(server: Self.server(), client: nil)
    #expect(
      text.hasSuffix(
        "this port speaks TLS: set --rpc-tls-ca (GOZON_RPC_TLS_CA) to the authority of the server's certificate"))
  }

  @Test(arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /v1/orders HTTP/1.1\r\n\r\n"])
  func `a client of HTTP is told so`(request: String) async throws {
    try await Self.withPair(server: Self.server(), client: nil) { loop, server, _ in
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      peer.send { $0 += request.utf8 }
      try await peer.until { $0.isClosed }
      #expect(peer.frames.map(\.header.kind) == [.goAway])
      #expect(String(decoding: peer.frames[0].payload, as: UTF8.self).contains("not HTTP"))
    }
  }

  @Test func `a client that does not shake hands takes no place for long`() async throws {
    var limits = RPCServer.Limits()
    limits.helloTimeout = .milliseconds(20)
    let (tls, bounds) = (try Self.server(), limits)
    try await onLoop { loop in
      let server = try RPCServer(
        loop: loop, name: "test", host: "127.0.0.1", port: 0, services: [], limits: bounds, tls: tls)
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      peer.send { $0 += [22, 3, 1, 2] }
      try await peer.until { $0.isClosed }
      #expect(peer.bytes.isEmpty)
      server.beginGracefulShutdown()
      await server.run()
    }
  }
}
