import EventLoop
@testable import HTTP
import TestSupport
import Testing

/// A server for tests of HTTP/2, and what its handlers did.
// Confined to the loop of its test.
final class HTTP2Site: @unchecked Sendable {
  var started = 0
  var cancelled = 0
  var failed = 0
  var bytes = 0
  var requests: [HTTPRequest] = []
  var slow: [UnsafeContinuation<Void, Never>] = []

  func answer(_ request: HTTPRequest, on loop: EventLoop) async -> HTTPResponse {
    started += 1
    requests.append(request)
    switch text(request.path) {
    case "/slow": await withUnsafeContinuation { slow.append($0) }
    case "/never": do { try await loop.sleep(for: .seconds(60)) } catch { cancelled += 1 }
    case "/stubborn": await withUnsafeContinuation { slow.append($0) }
    case "/large": return HTTPResponse(.ok, body: [UInt8](repeating: 0x61, count: 300_000))
    case "/none": return HTTPResponse(.noContent)
    case "/stream":
      return HTTPResponse { writer in
        for piece in ["one", "two", "three"] { try await writer.write(piece) }
      }
    case "/fails":
      return HTTPResponse { writer in
        try await writer.write("some")
        try await loop.sleep(for: .milliseconds(20))
        throw CancellationError()
      }
    case "/endless":
      return HTTPResponse { writer in
        do {
          while true {
            try await writer.write([UInt8](repeating: 0x61, count: 10_000))
            self.bytes += 10_000
          }
        } catch {
          self.failed += 1
          throw error
        }
      }
    case "/ticks":
      return HTTPResponse { writer in
        try await writer.write("tick")
        do { try await loop.sleep(for: .seconds(60)) } catch { self.cancelled += 1 }
        if writer.isOpen { try await writer.write("bye") }
      }
    default: break
    }
    return HTTPResponse.content("text/plain", text(request.path) + text(request.body[...]))
  }

  /// Runs `body` beside a server, then shuts the server down.
  static func serve(
    _ limits: HTTPLimits = HTTPLimits(), _ body: @escaping @Sendable (HTTPServer, HTTP2Site) async throws -> Void
  ) async throws {
    try await onLoop { loop in
      let site = HTTP2Site()
      let server = try HTTPServer(loop: loop, host: "127.0.0.1", port: 0, limits: limits) { request in
        await site.answer(request, on: loop)
      }
      try await body(server, site)
      for waiter in site.slow { waiter.resume() }
      server.beginGracefulShutdown()
      await server.run()
      #expect(server.connectionCount == 0)
      for _ in 0..<1_000 where server.requestCount > 0 { try await loop.sleep(for: .milliseconds(2)) }
      #expect(server.requestCount == 0 && server.held.count == 0)
    }
  }
}

extension RawClient {
  func frames(_ kind: UInt8, _ stream: UInt32? = nil) -> [HTTP2Wire] {
    frames.filter { $0.kind == kind && (stream == nil || $0.stream == stream) }
  }

  /// How many bytes of a body came on a stream.
  func bodyCount(_ stream: UInt32) -> Int { frames(HTTP2Wire.Kind.data, stream).reduce(0) { $0 + $1.payload.count } }

  /// The body that came on a stream.
  func body(_ stream: UInt32) -> String {
    String(decoding: frames(HTTP2Wire.Kind.data, stream).flatMap(\.payload), as: UTF8.self)
  }

  /// Whether a stream has ended, well or not.
  func hasEnded(_ stream: UInt32) -> Bool {
    frames.contains {
      $0.stream == stream
        && ($0.kind == HTTP2Wire.Kind.reset || $0.kind < 2 && $0.flags & HTTP2Wire.endStream != 0)
    }
  }
}
