import EventLoop
import Foundation
@testable import Gateway
import HTTP
import TestSupport
import Testing

@Suite struct WebPageTests {
  /// Asks a gateway without backends: the page needs none.
  private func send(_ method: HTTPMethod, _ path: String, _ fields: [(String, String)] = []) async throws
    -> GatewayTests.Answer
  {
    try await onLoop { loop in try await GatewayTests.World(loop, []).send(method, path, fields) }
  }

  @Test func `the page may run its own files, call this server, and nothing else`() async throws {
    let page = try await send(.get, "/")
    #expect(page.status == 200 && page.fields["content-type"] == "text/html; charset=utf-8")
    #expect(page.body.hasPrefix("<!doctype html>"))
    let policy = try #require(page.fields["content-security-policy"])
    #expect(policy.hasPrefix("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"))
    #expect(page.fields["x-content-type-options"] == "nosniff" && page.fields["referrer-policy"] == "no-referrer")
    #expect(page.fields["cache-control"] == "no-cache")
  }

  @Test(
    arguments: [
      ("/page/app.js", "text/javascript"), ("/page/page.css", "text/css"), ("/page/icon.svg", "image/svg+xml"),
    ])
  func `files say what they are`(_ path: String, _ type: String) async throws {
    let file = try await send(.get, path)
    #expect(file.status == 200 && file.fields["content-type"]?.hasPrefix(type) == true)
    #expect(file.fields["x-content-type-options"] == "nosniff")
  }

  @Test func `a file that the client has is not sent again, in either form`() async throws {
    var tags: Set<String> = []
    for coding in ["gzip", "identity"] {
      let accept = [("Accept-Encoding", coding)]
      let first = try await send(.get, "/page/page.css", accept)
      let tag = try #require(first.fields["etag"])
      #expect(tag.hasPrefix("\"") && first.fields["vary"] == "Accept-Encoding")
      #expect(first.fields["content-encoding"] == (coding == "gzip" ? coding : nil))
      let again = try await send(.get, "/page/page.css", accept + [("If-None-Match", tag)])
      #expect(again.status == 304 && again.body.isEmpty && again.fields["etag"] == tag)
      #expect(again.fields["cache-control"] == "no-cache" && again.fields["vary"] == "Accept-Encoding")
      tags.insert(tag)
    }
    #expect(tags.count == 2, "the forms are different files")
  }

  @Test func `a file in gzip is the file`() async throws {
    let plain = try await send(.get, "/page/app.js")
    let length = try await onLoop { loop in
      let coded = try #require(WebPage.file(at: Array("/page/app.js".utf8)[...]))
      let response = coded.response(to: HTTPFields([("Accept-Encoding", "gzip")]))
      // The last four bytes of a gzip file say how long what is in it is (RFC 1952 section 2.3.1).
      return response.body.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    #expect(length == plain.body.utf8.count)
  }

  @Test func `other methods and other paths are refused`() async throws {
    #expect(try await send(.head, "/page/app.js").status == 200)
    let post = try await send(.post, "/page/app.js")
    #expect(post.status == 405 && post.fields["allow"] == "GET, HEAD, OPTIONS")
    for path in ["/page/", "/page/none.js", "/page/../app.js", "/page/app.js/"] {
      #expect(try await send(.get, path).status == 404, "\(path)")
    }
  }

  @Test func `every file of the folder is there, and the page loads every module at once`() async throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/Gateway/Page")
    let page = try await send(.get, "/").body
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path()) where name != "index.html" {
      let file = try await send(.get, "/page/\(name)")
      #expect(file.body == (try String(contentsOf: folder.appending(path: name), encoding: .utf8)), "\(name)")
      #expect(page.contains("\"/page/\(name)\""), "\(name)")
    }
  }
}
