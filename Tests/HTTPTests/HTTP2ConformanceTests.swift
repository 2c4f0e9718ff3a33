import EventLoop
@testable import HTTP
import TestSupport
import Testing

/// What RFC 9113 and RFC 7541 say of wrong frames and wrong requests, a case each, sent behind the client's greeting.
@Suite struct HTTP2ConformanceTests {
  typealias Wire = HTTP2Wire
  typealias Kind = HTTP2Wire.Kind

  @Test(arguments: HTTP2Case.all)
  func conformance(_ test: HTTP2Case) async throws {
    try await HTTP2Site.serve { server, _ in
      let client = try await RawClient(server)
      client.send(Wire.greeting + test.bytes + Wire.ping(0x77))
      switch test.outcome {
      case .goAway(let code):
        try await client.waitForClose()
        #expect(client.frames(Kind.goAway).last?.errorCode == code, "\(test.testDescription): \(client.frames)")
      case .end: try await client.waitForClose()
      case .reset(let stream, let code):
        try await client.wait { client.hasEnded(stream) }
        #expect(client.frames(Kind.reset, stream).last?.errorCode == code, "\(test.testDescription): \(client.frames)")
        try await Self.checkServing(client)
      case .error(let stream):
        try await client.wait { client.isClosed || !client.frames(Kind.reset, stream).isEmpty }
      case .status(let stream, let status):
        try await client.wait { client.hasEnded(stream) }
        #expect(
          client.frames(Kind.headers, stream).first?.status == status, "\(test.testDescription): \(client.frames)")
        try await Self.checkServing(client)
      case .goesOn: try await Self.checkServing(client)
      }
    }
  }

  /// A ping is answered, and a request.
  private static func checkServing(_ client: RawClient) async throws {
    try await client.wait { client.frames(Kind.ping).contains { $0.payload == [UInt8](repeating: 0x77, count: 8) } }
    client.send(Wire.get(99))
    try await client.wait { client.body(99) == "/" }
  }
}
