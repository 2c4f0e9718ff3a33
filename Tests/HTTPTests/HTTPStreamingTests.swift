import EventLoop
@testable import HTTP
import TestSupport
import Testing

@Suite struct HTTPStreamingTests {
  struct Failure: Error {}

  /// What producers did.
  // Confined to the loop of its test.
  final class Log: @unchecked Sendable {
    var started = 0
    var cancelled = 0
    var gone = 0
    var bytes = 0
    var pause: UnsafeContinuation<Void, Never>?
  }

  private static let tail = " HTTP/1.1\r\nHost: x\r\n\r\n"
  private static let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

  private static func produce(_ path: String, _ writer: HTTPBodyWriter, _ log: Log, _ loop: EventLoop) async throws {
    log.started += 1
    switch path {
    case "/two":
      try await writer.write("one")
      try await writer.write("")
      try await writer.write("three three three")
    case "/paused":
      try await writer.write("before")
      await withUnsafeContinuation { log.pause = $0 }
      try await writer.write("after")
    case "/fails":
      try await writer.write("some")
      throw Failure()
    case "/fails-at-once":
      throw Failure()
    case "/endless":
      let piece = [UInt8](repeating: 0x61, count: 100_000)
      do {
        while true {
          try await writer.write(piece)
          log.bytes += piece.count
        }
      } catch {
        log.gone += 1
        throw error
      }
    case "/ticks":
      try await writer.write("tick")
      do { try await loop.sleep(for: .seconds(60)) } catch { log.cancelled += 1 }
      if writer.isOpen { try await writer.write("bye") }
    default:
      break
    }
  }

  private func withServer(
    _ limits: HTTPLimits = HTTPLimits(), _ body: @escaping @Sendable (HTTPServer, Log) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let log = Log()
      let server = try HTTPServer(loop: loop, host: "127.0.0.1", port: 0, limits: limits) { request in
        let path = text(request.path)
        if path == "/slow" { await withUnsafeContinuation { log.pause = $0 } }
        if path == "/slow" || path == "/whole" { return HTTPResponse(.ok, body: Array("whole".utf8)) }
        return HTTPResponse { try await Self.produce(path, $0, log, loop) }
      }
      try await body(server, log)
      server.beginGracefulShutdown()
      await server.run()
      #expect(server.connectionCount == 0)
      for _ in 0..<1_000 where server.requestCount > 0 { try await loop.sleep(for: .milliseconds(2)) }
      #expect(server.requestCount == 0)
    }
  }

  @Test func `what follows a response that ends the connection is not begun`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send("GET /paused HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      try await client.wait { log.pause != nil }
      client.send("GET /two" + Self.tail + "GET /endless" + Self.tail)
      try await server.loop.sleep(for: .milliseconds(20))
      log.pause?.resume()
      try await client.waitForClose()
      #expect(log.started == 1 && client.received.hasSuffix("beforeafter"))
    }
  }

  @Test func `each write of a turn is a chunk, and the end comes with them`() async throws {
    try await withServer { server, _ in
      let client = try await RawClient(server)
      client.send("GET /two\(Self.tail)GET /nothing\(Self.tail)GET /whole\(Self.tail)")
      let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole"
      let nothing = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
      let chunks = "3\r\none\r\n11\r\nthree three three\r\n0\r\n\r\n"
      let empty = Self.head + "0\r\n\r\n"
      let received = try await client.responses(3)
      #expect([Self.head + chunks + nothing + whole, Self.head + chunks + empty + whole].contains(received))
    }
  }

  @Test func `a response waits for those before it, and those behind wait for its end`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send("GET /slow\(Self.tail)GET /two\(Self.tail)GET /whole\(Self.tail)")
      try await client.wait { log.pause != nil && log.started == 1 }
      #expect(client.bytes.isEmpty)
      log.pause?.resume()
      let received = try await client.responses(3)
      #expect(received.hasSuffix("0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole"))
    }
  }

  @Test func `what is written arrives while the producer goes on`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send("GET /paused\(Self.tail)")
      try await client.wait { client.received.hasSuffix("6\r\nbefore\r\n") }
      log.pause?.resume()
      try await client.wait { client.received.hasSuffix("5\r\nafter\r\n0\r\n\r\n") }
    }
  }

  @Test func `HEAD and HTTP/1.0`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send("HEAD /two\(Self.tail)")
      #expect(try await client.responses(1) == Self.head)
      #expect(log.started == 0)
      let old = try await RawClient(server)
      old.send("GET /two HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
      try await old.waitForClose()
      #expect(old.received.withoutDates == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nonethree three three")
      #expect(old.error == nil)
    }
  }

  @Test func `a producer that fails leaves a body without its end`() async throws {
    try await withServer { server, _ in
      let client = try await RawClient(server)
      client.send("GET /fails\(Self.tail)GET /two\(Self.tail)")
      try await client.waitForClose()
      #expect(client.received.withoutDates == Self.head + "4\r\nsome\r\n")
      let old = try await RawClient(server)
      old.send("GET /fails HTTP/1.0\r\n\r\n")
      try await old.waitForClose()
      #expect(old.error != nil)
    }
  }

  @Test func `a producer that fails before its turn is answered with 500`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send("GET /slow\(Self.tail)GET /fails-at-once\(Self.tail)GET /whole\(Self.tail)")
      try await client.wait { log.pause != nil && log.started == 1 }
      log.pause?.resume()
      let received = try await client.responses(3)
      #expect(received.contains("HTTP/1.1 500 ") && received.hasSuffix("whole"))
    }
  }

  @Test func `a reader that stops suspends the producer, and is cut after its time`() async throws {
    var limits = HTTPLimits()
    limits.unsentBytesMax = 100_000
    limits.sendTimeout = .milliseconds(300)
    try await withServer(limits) { server, log in
      let client = try await RawClient(server)
      client.connection.pauseReading()
      client.send("GET /endless\(Self.tail)")
      try await client.wait { log.gone == 1 && server.connectionCount == 0 }
      // What the sockets take, and not what could be written in that time.
      #expect((1..<20_000_000).contains(log.bytes))
    }
  }

  @Test func `a reader that goes on gets everything, in bounded memory`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send("GET /endless\(Self.tail)")
      try await client.wait { client.bytes.count > 20_000_000 }
      #expect(log.bytes < client.bytes.count + 16_000_000)
      client.connection.abort()
      try await client.wait { log.gone == 1 && server.requestCount == 0 }
    }
  }

  @Test func `a client that goes away cancels the producer`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send("GET /ticks\(Self.tail)")
      try await client.wait { client.received.hasSuffix("tick\r\n") }
      client.connection.abort()
      try await client.wait { log.cancelled == 1 && server.requestCount == 0 }
    }
  }

  @Test func `a shutdown tells producers by cancellation, and lets them say their last words`() async throws {
    try await withServer { server, log in
      let client = try await RawClient(server)
      client.send("GET /ticks\(Self.tail)")
      try await client.wait { client.received.hasSuffix("tick\r\n") }
      server.beginGracefulShutdown()
      try await client.waitForClose()
      #expect(log.cancelled == 1 && client.received.hasSuffix("tick\r\n3\r\nbye\r\n0\r\n\r\n"))
    }
  }
}
