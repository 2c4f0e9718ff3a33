import EventLoop
@testable import HTTP
import TestSupport
import Testing

@Suite struct HTTP2ConnectionTests {
  typealias Wire = HTTP2Wire
  typealias Kind = HTTP2Wire.Kind

  private static func cancel(_ stream: UInt32) -> [UInt8] { Wire.frame(Kind.reset, 0, stream, [0, 0, 0, 8]) }

  private static func grant(_ stream: UInt32, _ count: UInt32) -> [UInt8] {
    Wire.frame(Kind.windowUpdate, 0, stream, Wire.number(count))
  }

  @Test func `a request looks to its handler like one of HTTP/1`() async throws {
    try await HTTP2Site.serve { server, site in
      let client = try await RawClient(server)
      let fields = [("accept", "a/b"), ("cookie", "a=b"), ("x-empty", ""), ("cookie", "c=d")]
      client.send(
        Wire.greeting + Wire.post(1, "/a%20b?c=d", fields) + Wire.data(1, [0x68]) + Wire.data(1, [0x69], ends: true))
      try await client.wait { client.hasEnded(1) }
      #expect(client.body(1) == "/a%20bhi")
      let request = try #require(site.requests.first)
      #expect(request.method == .post && text(request.path) == "/a%20b" && request.query.map(text) == "c=d")
      #expect(request.fields["Host"] == "x" && request.fields["Accept"] == "a/b" && request.fields["x-empty"] == "")
      #expect(request.fields.values(of: "Cookie") == ["a=b; c=d"] && request.peer.hasPrefix("127.0.0.1:"))
    }
  }

  @Test func `bodies of all connections together are bounded`() async throws {
    var limits = HTTPLimits()
    limits.heldBytesInAllMax = 1_000
    try await HTTP2Site.serve(limits) { server, _ in
      let (first, second) = (try await RawClient(server), try await RawClient(server))
      first.send(Wire.greeting + Wire.post(1, "/a") + Wire.data(1, [UInt8](repeating: 0x61, count: 900)))
      try await first.wait { server.held.count == 900 }
      second.send(Wire.greeting + Wire.post(1, "/b") + Wire.data(1, [UInt8](repeating: 0x61, count: 200)))
      second.send(Wire.get(3, "/c"))
      try await second.wait { second.hasEnded(1) && second.hasEnded(3) }
      #expect(second.body(1).contains("503") && second.body(3) == "/c" && server.held.count >= 900)
      for client in [first, second] { client.connection.abort() }
    }
  }

  @Test func `every cut of the bytes gives the same answers`() async throws {
    try await HTTP2Site.serve { server, _ in
      let bytes = Wire.greeting + Wire.post(1, "/b") + Wire.data(1, [0x63], ends: true) + Wire.get(3, "/d")
      for cut in 1..<bytes.count {
        let client = try await RawClient(server)
        client.send(Array(bytes[..<cut]))
        try await server.loop.sleep(for: .milliseconds(1))
        client.send(Array(bytes[cut...]))
        try await client.wait { client.hasEnded(1) && client.hasEnded(3) }
        #expect(client.body(1) == "/bc" && client.body(3) == "/d", "cut at \(cut)")
        client.connection.abort()
      }
    }
  }

  @Test func `every truncation is survived, and leaves nothing behind`() async throws {
    try await HTTP2Site.serve { server, _ in
      let bytes = Wire.greeting + Wire.post(1, "/b") + Wire.data(1, [0x63], ends: true) + Wire.get(3, "/d")
      for count in 0..<bytes.count {
        let client = try await RawClient(server)
        client.send(Array(bytes[..<count]))
        client.connection.close()
      }
      for _ in 0..<2_500 where server.connectionCount > 0 { try await server.loop.sleep(for: .milliseconds(2)) }
      #expect(server.connectionCount == 0)
    }
  }

  @Test func `streams are answered as they are done, not in turn`() async throws {
    try await HTTP2Site.serve { server, site in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.get(1, "/slow") + Wire.get(3, "/b") + Wire.get(5, "/none"))
      try await client.wait { client.hasEnded(3) && client.hasEnded(5) }
      #expect(!client.hasEnded(1))
      site.slow.removeFirst().resume()
      try await client.wait { client.body(1) == "/slow" }
    }
  }

  @Test func `the body is asked for when the client waits for that`() async throws {
    try await HTTP2Site.serve { server, _ in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.post(1, "/b", [("expect", "100-continue")]))
      try await client.wait { client.frames(Kind.headers, 1).first?.status == 100 }
      client.send(Wire.data(1, [0x63], ends: true))
      try await client.wait { client.body(1) == "/bc" }
    }
  }

  @Test func `a body that is made while it is sent, and one that fails`() async throws {
    try await HTTP2Site.serve { server, _ in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.get(1, "/stream") + Wire.get(3, "/fails"))
      try await client.wait { client.hasEnded(1) && client.hasEnded(3) }
      #expect(client.body(1) == "onetwothree")
      #expect(client.body(3) == "some" && client.frames(Kind.reset, 3).first?.errorCode == 2)
      client.send(Wire.frame(Kind.headers, 5, 5, Wire.request("HEAD", "/stream")))
      try await client.wait { client.hasEnded(5) }
      #expect(client.frames(Kind.data, 5).isEmpty)
    }
  }

  @Test func `bodies wait for the client's windows, one stream without the other`() async throws {
    try await HTTP2Site.serve { server, site in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Self.grant(0, 1 << 20) + Wire.get(1, "/large") + Wire.get(3, "/endless"))
      try await client.wait { client.bodyCount(1) == 65_535 && client.bodyCount(3) == 65_535 }
      try await server.loop.sleep(for: .milliseconds(20))
      #expect(site.bytes <= 65_535 + 80_000)
      client.send(Self.grant(1, 300_000))
      try await client.wait { client.hasEnded(1) }
      #expect(client.bodyCount(1) == 300_000 && client.bodyCount(3) == 65_535)
      client.send(Self.grant(3, 100_000))
      try await client.wait { client.bodyCount(3) == 165_535 }
      client.send(Self.cancel(3))
      try await client.wait { site.failed == 1 && server.requestCount == 0 }
    }
  }

  @Test func `a stream that is reset cancels its handler`() async throws {
    try await HTTP2Site.serve { server, site in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.get(1, "/never") + Wire.get(3, "/never"))
      try await client.wait { site.started == 2 }
      client.send(Self.cancel(1))
      try await client.wait { site.cancelled == 1 && server.requestCount == 1 }
      client.connection.abort()
      try await client.wait { site.cancelled == 2 && server.requestCount == 0 }
    }
  }

  @Test func `handlers of streams that were reset count, and a client that goes on is sent away`() async throws {
    var limits = HTTPLimits()
    limits.streamsMax = 10
    try await HTTP2Site.serve(limits) { server, site in
      let client = try await RawClient(server)
      client.send(Wire.greeting)
      for round in 0..<400 where !client.isClosed {
        let streams = (0..<10).map { UInt32(round * 20 + $0 * 2 + 1) }
        for requests in [streams.map { Wire.get($0, "/stubborn") }, streams.map(Self.cancel)] {
          client.send(requests.flatMap { $0 })
          try await server.loop.sleep(for: .milliseconds(2))
        }
      }
      try await client.waitForClose()
      #expect(site.started == 10 && client.frames(Kind.goAway).last?.errorCode == 11)
      #expect(client.frames(Kind.reset).allSatisfy { $0.errorCode == 7 })
    }
  }

  @Test(arguments: [
    ("ping", Wire.ping()), ("settings", Wire.frame(Kind.settings)),
    ("empty data", Wire.frame(Kind.data, 0, 1)), ("padding", Wire.frame(Kind.data, Wire.padded, 1, [2, 0, 0])),
    ("priority", Wire.frame(Kind.priority, 0, 3, [0, 0, 0, 0, 1])),
    ("window updates", Wire.frame(Kind.windowUpdate, 0, 0, [0, 0, 0, 1])),
  ])
  func `floods end in ENHANCE_YOUR_CALM`(name: String, frame: [UInt8]) async throws {
    try await HTTP2Site.serve { server, _ in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.post(1, "/"))
      for _ in 0..<30 where !client.isClosed {
        client.send((0..<100).flatMap { _ in frame })
        try await server.loop.sleep(for: .milliseconds(1))
      }
      try await client.waitForClose()
      #expect(client.frames(Kind.goAway).last?.errorCode == 11, "\(name)")
    }
  }

  @Test func `a body beyond the limit is answered while it comes`() async throws {
    var limits = HTTPLimits()
    limits.bodyBytesMax = 1_000
    limits.heldBytesMax = 1_500
    try await HTTP2Site.serve(limits) { server, _ in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.post(1) + Wire.data(1, [UInt8](repeating: 1, count: 1_001)))
      try await client.wait { !client.frames(Kind.reset, 1).isEmpty }
      #expect(client.frames(Kind.headers, 1).first?.status == 413 && client.frames(Kind.reset, 1)[0].errorCode == 0)
      let other = try await RawClient(server)
      let part = [UInt8](repeating: 1, count: 800)
      other.send(Wire.greeting + Wire.post(1) + Wire.data(1, part) + Wire.post(3) + Wire.data(3, part))
      try await other.wait { other.hasEnded(3) }
      #expect(other.frames(Kind.headers, 3).first?.status == 503)
      other.send(Wire.data(1, [], ends: true))
      try await other.wait { other.hasEnded(1) }
      #expect(other.body(1).utf8.count == 801)
    }
  }

  @Test func `clients that take too long are shed`() async throws {
    var limits = HTTPLimits()
    limits.headTimeout = .milliseconds(40)
    limits.bodyTimeout = .milliseconds(40)
    limits.idleTimeout = .milliseconds(150)
    limits.sendTimeout = .milliseconds(60)
    try await HTTP2Site.serve(limits) { server, site in
      let silent = try await RawClient(server)
      silent.send(ClientPreface.bytes)
      let part = try await RawClient(server)
      part.send(Array(ClientPreface.bytes.prefix(10)))
      let head = try await RawClient(server)
      head.send(Wire.greeting + Wire.frame(Kind.headers, 0, 1, Wire.request()))
      let body = try await RawClient(server)
      body.send(Wire.greeting + Wire.post(1, "/") + Wire.data(1, [1]))
      let reader = try await RawClient(server)
      reader.send(Wire.greeting + Wire.get(1, "/endless"))
      let idle = try await RawClient(server)
      idle.send(Wire.greeting + Wire.get(1))
      for client in [silent, part, head, idle] { try await client.waitForClose() }
      #expect(part.received.hasPrefix("HTTP/1.1 408 "))
      #expect(head.frames(Kind.goAway).last?.errorCode == 11 && idle.frames(Kind.goAway).last?.errorCode == 0)
      try await body.wait { body.frames(Kind.headers, 1).first?.status == 408 }
      try await reader.wait { reader.frames(Kind.reset, 1).first?.errorCode == 8 && site.failed == 1 }
    }
  }

  @Test func `a client that takes a byte now and then is shed like one that takes none`() async throws {
    var limits = HTTPLimits()
    limits.sendTimeout = .milliseconds(60)
    try await HTTP2Site.serve(limits) { server, site in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Self.grant(0, 1 << 20) + Wire.get(1, "/endless"))
      try await client.wait { client.bodyCount(1) == 65_535 }
      for _ in 0..<500 where client.frames(Kind.reset, 1).isEmpty {
        client.send(Self.grant(1, 1))
        try await server.loop.sleep(for: .milliseconds(10))
      }
      #expect(client.frames(Kind.reset, 1).first?.errorCode == 8 && client.bodyCount(1) > 65_535)
      try await client.wait { site.failed == 1 }
    }
  }

  @Test func `responses that wait to be read refuse streams of their client, and nobody else's`() async throws {
    var limits = HTTPLimits()
    limits.heldBytesInAllMax = 1_000
    try await HTTP2Site.serve(limits) { server, _ in
      let (greedy, other, plain) = (
        try await RawClient(server), try await RawClient(server), try await RawClient(server)
      )
      greedy.send(Wire.greeting + Wire.get(1, "/large"))
      try await greedy.wait { greedy.bodyCount(1) == 65_535 }
      greedy.send(Wire.get(3, "/a"))
      try await greedy.wait { greedy.frames(Kind.reset, 3).first?.errorCode == 7 }
      other.send(Wire.greeting + Wire.get(1, "/a"))
      try await other.wait { other.body(1) == "/a" }
      plain.send("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nc")
      #expect(try await plain.responses(1).hasSuffix("/bc"))
      greedy.send(Self.grant(0, 1 << 20) + Self.grant(1, 1 << 20))
      try await greedy.wait { greedy.hasEnded(1) && server.heldResponses.count == 0 }
      greedy.send(Wire.get(5, "/a"))
      try await greedy.wait { greedy.body(5) == "/a" }
    }
  }

  @Test func `a client that does not read from its socket is cut`() async throws {
    var limits = HTTPLimits()
    limits.sendTimeout = .milliseconds(100)
    try await HTTP2Site.serve(limits) { server, site in
      let client = try await RawClient(server)
      client.connection.pauseReading()
      let windows = Self.grant(0, 1 << 30) + Wire.frame(Kind.settings, 0, 0, Wire.setting(4, 1 << 30))
      client.send(Wire.greeting + windows + Wire.get(1, "/endless"))
      try await client.wait { site.failed == 1 && server.connectionCount == 0 }
      #expect(client.bytes.isEmpty)
    }
  }

  @Test func `a shutdown says goodbye in two steps, and answers what came in between`() async throws {
    var limits = HTTPLimits()
    limits.drainTimeout = .seconds(80)
    try await HTTP2Site.serve(limits) { server, site in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.get(1, "/slow") + Wire.get(3, "/ticks"))
      try await client.wait { site.slow.count == 1 && client.body(3) == "tick" }
      server.beginGracefulShutdown()
      try await client.wait { client.frames(Kind.goAway).count == 1 && client.frames(Kind.ping).count == 1 }
      #expect(client.frames(Kind.goAway)[0].payload.prefix(4) == [0x7F, 0xFF, 0xFF, 0xFF])
      client.send(Wire.get(5, "/late"))
      try await client.wait { client.body(5) == "/late" && client.body(3) == "tickbye" }
      client.send(Wire.frame(Kind.ping, 1, 0, client.frames(Kind.ping)[0].payload))
      try await client.wait { client.frames(Kind.goAway).count == 2 }
      #expect(client.frames(Kind.goAway)[1].payload == [0, 0, 0, 5, 0, 0, 0, 0])
      client.send(Wire.get(7, "/too-late"))
      site.slow.removeFirst().resume()
      try await client.waitForClose()
      #expect(client.body(1) == "/slow" && !client.hasEnded(7) && client.error == nil)
    }
  }

  @Test func `a shutdown waits for no answer to its ping`() async throws {
    try await HTTP2Site.serve { server, _ in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.get(1))
      try await client.wait { client.hasEnded(1) }
      server.beginGracefulShutdown()
      try await client.waitForClose()
      #expect(client.frames(Kind.goAway).count == 2)
    }
  }

  @Test func `requests beyond the server's limit get 503`() async throws {
    var limits = HTTPLimits()
    limits.requestsMax = 1
    try await HTTP2Site.serve(limits) { server, site in
      let client = try await RawClient(server)
      client.send(Wire.greeting + Wire.get(1, "/slow") + Wire.get(3))
      try await client.wait { client.hasEnded(3) }
      #expect(client.frames(Kind.headers, 3).first?.status == 503)
      site.slow.removeFirst().resume()
      try await client.wait { client.hasEnded(1) }
    }
  }
}
