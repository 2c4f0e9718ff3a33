import EventLoop
@testable import HTTP
import TestSupport
import Testing

@Suite struct WebSocketHandshakeTests {
  private static let good = [
    ("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade"), ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
  ]

  private func open(
    _ fields: [(String, String)], method: HTTPMethod = .get, subprotocols: [String] = []
  ) throws -> HTTPResponse {
    try HTTPResponse.webSocket(for: HTTPRequest(method, "/", fields: fields), subprotocols: subprotocols) { _ in }
  }

  private func without(_ name: String, with value: String? = nil) -> [(String, String)] {
    Self.good.filter { $0.0 != name } + (value.map { [(name, $0)] } ?? [])
  }

  @Test func `the key is answered as in RFC 6455 section 1.3`() throws {
    let response = try open(Self.good)
    #expect(response.status.code == 101 && response.fields["upgrade"] == "websocket")
    #expect(response.fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(!response.fields.contains("sec-websocket-protocol"))
  }

  @Test func `of the protocols that the client offers the one is chosen that the server prefers`() throws {
    let offered = Self.good + [("Sec-WebSocket-Protocol", "a, b"), ("Sec-WebSocket-Protocol", "c")]
    #expect(try open(offered, subprotocols: ["x", "c", "a"]).fields["sec-websocket-protocol"] == "c")
    #expect(try open(offered, subprotocols: ["x"]).fields["sec-websocket-protocol"] == nil)
  }

  @Test func `what does not ask for a WebSocket learns how to`() {
    let wrong = [
      without("Upgrade"), without("Upgrade", with: "h2c"), without("Connection"), without("Connection", with: "close"),
      without("Sec-WebSocket-Version"), without("Sec-WebSocket-Version", with: "8"),
      Self.good + [("Sec-WebSocket-Version", "8")],
    ]
    for fields in wrong {
      #expect { try open(fields) } throws: { error in
        guard let refusal = error as? HTTPRefusal else { return false }
        let answer = HTTPResponse.text(refusal)
        return refusal.status.code == 426 && answer.fields["sec-websocket-version"] == "13"
          && answer.fields["upgrade"] == "websocket"
      }
    }
    #expect(throws: HTTPRefusal.self) { try open(Self.good, method: .post) }
  }

  @Test func `a key that is none is refused`() {
    let keys = [nil, "", "short==", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZ!==", "dGhlIHNhbXBsZSBub25jZQaa"]
    for key in keys {
      #expect { try open(without("Sec-WebSocket-Key", with: key)) } throws: {
        ($0 as? HTTPRefusal)?.status == .badRequest
      }
    }
  }
}

@Suite struct WebSocketTests {
  typealias Wire = WebSocketWire

  // Confined to the loop of its test.
  final class Log: @unchecked Sendable {
    var messages: [WebSocketMessage] = []
    var code: UInt16?
    var reason = ""
    var sent = 0
    var cancelled = 0
    var hold: UnsafeContinuation<Void, Never>?
  }

  struct Failure: Error {}

  private static func talk(_ path: String, _ socket: WebSocket, _ log: Log, _ loop: EventLoop) async throws {
    defer { (log.code, log.reason) = (socket.closeCode, socket.closeReason) }
    switch path {
    case "/echo":
      for try await message in socket {
        log.messages.append(message)
        try await socket.send(message)
      }
    case "/fails": throw Failure()
    case "/closes": socket.close(code: 4_000, reason: "enough")
    case "/flood":
      do {
        while true {
          try await socket.send(binary: [UInt8](repeating: 1, count: 50_000))
          log.sent += 50_000
        }
      } catch { log.cancelled += 1 }
    case "/sleeps":
      await withUnsafeContinuation { log.hold = $0 }
      while let message = try await socket.next() { log.messages.append(message) }
    case "/waits":
      do { while try await socket.next() != nil {} } catch { log.cancelled += 1 }
    default: break
    }
  }

  private func withServer(
    _ limits: HTTPLimits = HTTPLimits(), _ body: @escaping @Sendable (HTTPServer, Log) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let log = Log()
      let server = try HTTPServer(loop: loop, host: "127.0.0.1", port: 0, limits: limits) { request in
        let path = text(request.path)
        if path == "/whole" { return .content("text/plain", "whole") }
        do throws(HTTPRefusal) {
          return try .webSocket(for: request) { try await Self.talk(path, $0, log, loop) }
        } catch {
          return .text(error)
        }
      }
      try await body(server, log)
      server.beginGracefulShutdown()
      await server.run()
      for _ in 0..<1_000 where server.requestCount > 0 { try await loop.sleep(for: .milliseconds(2)) }
      #expect(server.connectionCount == 0 && server.requestCount == 0)
    }
  }

  private static func opening(_ path: String) -> [UInt8] {
    Array(
      """
      GET \(path) HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
      Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
      """.utf8)
  }

  /// The frames behind the response's head.
  private static func frames(_ client: RawClient) -> [String] {
    guard let end = client.bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
    return Wire.read(Array(client.bytes[end.upperBound...]))
  }

  @Test func `messages go both ways, those included that came with the request`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send(Self.opening("/echo") + Wire.frame("one"))
      try await client.wait { Self.frames(client) == ["1:one"] }
      #expect(client.received.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
      client.send(Wire.frame(Wire.binary, [0x62]) + Wire.frame(Wire.ping, [0x70]))
      try await client.wait { Set(Self.frames(client)) == ["1:one", "2:b", "10:p"] }
      client.send(Wire.closing(1_000, "bye"))
      try await client.waitForClose()
      #expect(Self.frames(client).last == "8:1000bye")
      #expect(log.code == 1_000 && log.reason == "bye" && client.error == nil)
    }
  }

  @Test func `every cut of the bytes gives the same messages`() async throws {
    try await withServer { server, _ in
      let bytes = Self.opening("/echo") + Wire.frame("one") + Wire.closing(1_000)
      for cut in stride(from: 1, to: bytes.count, by: 3) {
        let client = try await RawClient(server)
        client.send(Array(bytes[..<cut]))
        try await server.loop.sleep(for: .milliseconds(1))
        client.send(Array(bytes[cut...]))
        try await client.waitForClose()
        #expect(Self.frames(client).last == "8:1000", "cut at \(cut)")
      }
    }
  }

  @Test func `how a handler ends is how the WebSocket closes`() async throws {
    try await withServer { server, _ in
      for (path, frame) in [("/returns", "8:1000"), ("/fails", "8:1011"), ("/closes", "8:4000enough")] {
        let client = try await RawClient(server)
        client.send(Self.opening(path))
        try await client.wait { Self.frames(client) == [frame] }
        client.send(Wire.closing(1_000))
        try await client.waitForClose()
      }
    }
  }

  @Test func `a client that does not close is closed after its time`() async throws {
    var limits = HTTPLimits()
    limits.webSocketCloseTimeout = .milliseconds(50)
    limits.sendTimeout = .milliseconds(100)
    try await withServer(limits) { server, _ in
      let client = try await RawClient(server)
      client.send(Self.opening("/returns"))
      try await client.waitForClose()
      #expect(Self.frames(client) == ["8:1000"])
    }
  }

  @Test func `an error closes with its code, and the handler sees the end`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send(Self.opening("/echo") + Wire.frame(Wire.text, [0xFF]))
      try await client.wait { client.isClosed && log.code == 1_007 }
      #expect(Self.frames(client) == ["8:1007"] && client.error == nil)
    }
  }

  @Test func `a client that goes away ends the handler`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send(Self.opening("/waits"))
      try await client.wait { server.requestCount == 1 && !client.bytes.isEmpty }
      client.connection.abort()
      try await client.wait { server.requestCount == 0 }
      #expect(log.code == 1_006)
    }
  }

  @Test func `a reader that stops suspends the handler, and is cut`() async throws {
    var limits = HTTPLimits()
    limits.sendTimeout = .milliseconds(150)
    try await withServer(limits) { server, log in
      let client = try await RawClient(server)
      client.connection.pauseReading()
      client.send(Self.opening("/flood"))
      try await client.wait { log.cancelled == 1 && server.connectionCount == 0 }
    }
  }

  @Test func `a handler that takes no messages slows its client down`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send(Self.opening("/sleeps"))
      try await client.wait { log.hold != nil }
      let frame = Wire.frame(Wire.binary, [UInt8](repeating: 1, count: 60_000))
      for _ in 0..<500 { client.send(frame) }
      try await server.loop.sleep(for: .milliseconds(50))
      #expect(client.connection.queuedBytes > 10_000_000)
      client.send(Wire.closing(1_000))
      log.hold?.resume()
      try await client.waitForClose()
      #expect(log.messages.count == 500)
    }
  }

  @Test func `a silent client is asked whether it is there, and cut when it is not`() async throws {
    var limits = HTTPLimits()
    limits.webSocketPingInterval = .milliseconds(50)
    limits.sendTimeout = .milliseconds(100)
    try await withServer(limits) { server, log in
      let client = try await RawClient(server)
      client.send(Self.opening("/waits"))
      try await client.waitForClose()
      #expect(Self.frames(client) == ["9:"] && log.code == 1_006)
    }
  }

  @Test func `a shutdown closes with 1001 and cancels the handler`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send(Self.opening("/waits"))
      try await client.wait { server.requestCount == 1 && !client.bytes.isEmpty }
      server.beginGracefulShutdown()
      try await client.wait { Self.frames(client) == ["8:1001"] }
      client.send(Wire.closing(1_001))
      try await client.waitForClose()
      #expect(log.code == 1_001)
    }
  }

  @Test func `a request that asks for another protocol may be answered as any other`() async throws {
    try await withServer { server, _ in
      let client = try await RawClient(server)
      let whole = "GET /whole HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
      client.send(whole + whole + "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
      let received = try await client.responses(3)
      #expect(received.contains("HTTP/1.1 426 Upgrade Required\r\n"))
      #expect(received.contains("Sec-WebSocket-Version: 13\r\n"))
    }
  }
}
