import API
import EventLoop
import TestSupport
import Testing
import Wire

@testable import RPC

/// What a server does with peers that break the rules, over real sockets: it says why, hangs up, and serves the others.
@Suite struct HostilePeerTests {
  /// Sends `bytes` to a server, and returns the goAway that it answers before it hangs up.
  private static func goodbye(
    to bytes: [UInt8], limits: RPCServer.Limits = .init()
  ) async throws -> (reason: GoAwayReason?, text: String)? {
    try await RPCTests.withPair(limits: limits) { loop, server, client in
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      peer.send { $0 = bytes }
      try await peer.until(\.isClosed)
      _ = try await OrdersClient(client).createOrder(RPCTests.request, options: RPCTests.options)
      guard let last = peer.frames.last, last.header.kind == .goAway else { return nil }
      return (GoAwayReason(rawValue: last.header.code), String(decoding: last.payload, as: UTF8.self))
    }
  }

  private static let hello = bytes(
    "1e000000 00000000 01000000 00000000 4410d3ee 1902b988 474f5a4e 01000100 "
      + "00004000 00000000 e8030000 00000400 00004000 0000")

  /// A call that does not end by itself.
  private static let hang: [UInt8] = {
    var request = RPCTests.request
    request.description = "hang"
    return frame(
      FrameHeader(kind: .request, stream: 1, code: OrdersMethods.createOrder.id, value: 9_000), request.encoded())
  }()

  private static func frame(_ header: FrameHeader, _ payload: [UInt8] = []) -> [UInt8] {
    var frame: [UInt8] = []
    header.append(payload: payload, to: &frame)
    return frame
  }

  @Test func `an HTTP client is told where HTTP is spoken`() async throws {
    let goodbye = try await Self.goodbye(to: Array("GET /v1/orders HTTP/1.1\r\nHost: gozon\r\n\r\n".utf8))
    #expect(goodbye?.reason == .protocolViolation)
    #expect(goodbye?.text.contains("HTTP is the gateway's") == true)
  }

  @Test(
    arguments: [
      ("garbage", [UInt8](repeating: 0xA5, count: 500), "no frame"),
      ("garbage after the hello", hello + [UInt8](repeating: 0xA5, count: 24), "no frame"),
      ("a header that announces too much", hello + sealed(kind: 2, length: .max), "at most"),
      ("a damaged payload", hello + sealed(kind: 2, length: 1, payloadChecksum: 7) + [0], "damaged"),
      ("a kind of the future", hello + sealed(kind: 99, length: 0), "kind 99"),
      ("a request before the hello", frame(FrameHeader(kind: .request, stream: 1)), "first frame"),
      ("a second hello", hello + hello, "second hello"),
      ("a message of nothing", hello + frame(FrameHeader(kind: .message, stream: 4)), "never began"),
      ("an end of nothing", hello + frame(FrameHeader(kind: .end, stream: 4)), "never began"),
      ("a credit of nothing", hello + frame(FrameHeader(kind: .credit, stream: 4, value: 1)), "never began"),
      ("a credit of no bytes", hello + frame(FrameHeader(kind: .credit)), "credit of 0"),
      ("too much credit", hello + frame(FrameHeader(kind: .credit, value: .max)), "credit of"),
      (
        "a message to a call without a stream", hello + hang + frame(FrameHeader(kind: .message, stream: 1)),
        "no stream"
      ),
      ("an end of a call without a stream", hello + hang + frame(FrameHeader(kind: .end, stream: 1)), "no stream"),
      ("a response", hello + frame(FrameHeader(kind: .response, stream: 1)), "response"),
      ("a hello of nothing", frame(FrameHeader(kind: .hello)), "hello"),
      ("stream 0", hello + frame(FrameHeader(kind: .request, value: 1)), "upwards from 1"),
      ("a cancel of nothing", hello + frame(FrameHeader(kind: .cancel, stream: 4)), "never began"),
    ] as [(String, [UInt8], String)])
  func `a violation is named and ends the connection`(what: String, bytes: [UInt8], word: String) async throws {
    let goodbye = try await Self.goodbye(to: bytes)
    #expect(goodbye?.reason == .protocolViolation, "\(what)")
    #expect(goodbye?.text.contains(word) == true, "\(what): \(goodbye?.text ?? "nothing said")")
  }

  @Test func `a client without a common version is told which versions there are`() async throws {
    var hello = Hello(payloadBytesMax: 1 << 20, streamsMax: 0, pingIntervalMillisecondsMin: 0)
    (hello.versionMin, hello.versionMax) = (7, 9)
    var frame: [UInt8] = []
    hello.append(to: &frame)
    let goodbye = try await Self.goodbye(to: frame)
    #expect(goodbye?.reason == .versionMismatch)
    #expect(goodbye?.text.contains("7 to 9") == true)
  }

  @Test func `a peer that says nothing, or half a hello, is let go in the end`() async throws {
    var limits = RPCServer.Limits()
    limits.helloTimeout = .milliseconds(50)
    for bytes in [[], Array(Self.hello.prefix(30))] {
      let goodbye = try await Self.goodbye(to: bytes, limits: limits)
      #expect(goodbye?.reason == .protocolViolation)
      #expect(goodbye?.text.contains("hello") == true)
    }
  }

  @Test func `a greeted peer may be silent, in the middle of a frame too`() async throws {
    var limits = RPCServer.Limits()
    limits.helloTimeout = .milliseconds(20)
    try await RPCTests.withPair(limits: limits) { loop, server, client in
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      let request = Self.frame(
        FrameHeader(kind: .request, stream: 1, code: OrdersMethods.createOrder.id, value: 1_000),
        RPCTests.request.encoded())
      peer.send { $0 = Self.hello + request.prefix(40) }
      try await loop.sleep(for: .milliseconds(60))
      _ = try await OrdersClient(client).createOrder(RPCTests.request, options: RPCTests.options)
      peer.send { $0 = Array(request.dropFirst(40)) }
      try await peer.until { $0.frames.count == 2 }
      #expect(peer.frames.map(\.header.kind) == [.hello, .response] && peer.frames[1].header.code == 0)
    }
  }

  @Test func `a request that is no message is refused, and the connection lives`() async throws {
    try await RPCTests.withPair { loop, server, _ in
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      let method = OrdersMethods.createOrder.id
      let message = RPCTests.request.encoded()
      peer.send { bytes in
        bytes = Self.hello
        for length in 0..<message.count {
          let header = FrameHeader(kind: .request, stream: UInt32(length + 1), code: method, value: 1_000)
          header.append(payload: Array(message.prefix(length)), to: &bytes)
        }
        FrameHeader(kind: .request, stream: 900, flags: .metadata, code: method, value: 1_000)
          .append(payload: [0xFF, 0xFF, 1], to: &bytes)
        FrameHeader(kind: .request, stream: 901, code: method, value: 0).append(payload: message, to: &bytes)
        FrameHeader(kind: .request, stream: 902, code: method, value: 1_000).append(payload: message, to: &bytes)
      }
      try await peer.until { $0.frames.count == 1 + message.count + 3 }
      let answers = peer.frames.dropFirst().map { StatusCode(rawValue: $0.header.code) }
      #expect(answers.dropLast(2).allSatisfy { $0 == .invalidArgument })
      #expect(answers.suffix(2) == [.deadlineExceeded, .ok])
      #expect(!peer.isClosed)
    }
  }

  @Test func `a peer that does not read is read no further, and served when it does`() async throws {
    try await RPCTests.withPair { loop, server, client in
      let peer = RawPeer(loop: loop)
      try await peer.connect(port: server.port)
      peer.pause()
      var request = RPCTests.request
      request.description = String(repeating: "x", count: 1_000)
      let payload = request.encoded()
      peer.send { bytes in
        bytes = Self.hello
        for stream in 1...30_000 as ClosedRange<UInt32> {
          FrameHeader(kind: .request, stream: stream, code: OrdersMethods.createOrder.id, value: 60_000)
            .append(payload: payload, to: &bytes)
        }
      }
      try await loop.sleep(for: .milliseconds(100))
      _ = try await OrdersClient(client).createOrder(RPCTests.request, options: RPCTests.options)
      #expect(peer.queuedBytes > 0, "the server read on")
      peer.resume()
      try await peer.until { $0.frames.count == 30_001 }
    }
  }
}
