internal import EventLoop
internal import HTTP

/// What can be asked for, each by its path and the numbers of its query.
// Confined to its event loop, where the HTTP server calls it.
final class ProbeSite: @unchecked Sendable {
  /// About what an account is.
  private static let small =
    #"{"userId":"01a1fdbe-7130-7758-a1b9-c141a0c21b84","balance":50000,"currency":"RUB","createdAt":"2026-11-21T10:54:38.896459Z"}"#

  private let loop: EventLoop
  weak var server: HTTPServer?
  /// Producers that were cancelled, or whose client was gone.
  private var goneCount = 0

  init(loop: EventLoop) { self.loop = loop }

  func answer(_ request: HTTPRequest) async -> HTTPResponse {
    let numbers = Numbers(request)
    switch String(decoding: request.path, as: UTF8.self) {
    case "/small": return .content("application/json", Self.small)
    case "/text":
      return .content("text/plain; charset=utf-8", String(repeating: "0123456789", count: numbers["count"] ?? 1))
    case "/echo": return HTTPResponse(.ok, body: request.body)
    case "/stream": return stream(numbers)
    case "/socket": return socket(request)
    case "/status": return status()
    default: return .content("text/plain", "there is no such path\n", status: .notFound)
    }
  }

  /// `count` pieces of `bytes`, each after some `milliseconds`; with `fails`, the end is a failure.
  private func stream(_ numbers: Numbers) -> HTTPResponse {
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: numbers["bytes"] ?? 10)
    let pause = Duration.milliseconds(numbers["milliseconds"] ?? 0)
    return HTTPResponse(fields: [("Content-Type", "text/plain")]) { writer in
      do {
        for _ in 0..<(numbers["count"] ?? 1) {
          if pause > .zero { try await self.loop.sleep(for: pause) }
          try await writer.write(piece)
        }
      } catch {
        self.goneCount += 1
        throw error
      }
      if numbers["fails"] != nil { throw CancellationError() }
    }
  }

  /// Sends back what it gets.
  private func socket(_ request: HTTPRequest) -> HTTPResponse {
    do throws(HTTPRefusal) {
      return try .webSocket(for: request, subprotocols: ["echo"]) { socket in
        for try await message in socket { try await socket.send(message) }
      }
    } catch {
      return .text(error)
    }
  }

  private func status() -> HTTPResponse {
    let (connections, requests) = (server?.connectionCount ?? 0, server?.requestCount ?? 0)
    return .content(
      "application/json", #"{"connections":\#(connections),"requests":\#(requests),"gone":\#(goneCount)}"#)
  }
}

/// The numbers of a query.
private struct Numbers {
  private let items: [String: Int]

  init(_ request: HTTPRequest) {
    let items = (try? request.queryItems()) ?? []
    self.items = Dictionary(items.map { ($0.name, Int($0.value) ?? 0) }) { first, _ in first }
  }

  subscript(name: String) -> Int? { items[name] }
}
