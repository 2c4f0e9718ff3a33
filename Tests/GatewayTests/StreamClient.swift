import EventLoop
import TestSupport

/// A connection to the gateway as bytes: what is sent, and what has come.
// Confined to the loop of its test.
final class StreamClient: TCPConnectionDelegate, @unchecked Sendable {
  let connection: TCPConnection
  private let loop: EventLoop
  private(set) var text = ""
  private(set) var isClosed = false

  init(_ loop: EventLoop, port: Int, _ request: String) async throws {
    self.loop = loop
    connection = try await TCPConnection.connect(loop: loop, host: "127.0.0.1", port: port, timeout: .seconds(10))
    connection.delegate = self
    connection.start()
    var bytes = Array(request.utf8)
    connection.write(&bytes)
  }

  /// A GET of `path` with these fields.
  static func get(_ path: String, _ fields: String...) -> String {
    (["GET \(path) HTTP/1.1", "Host: x"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
  }

  func received(_ bytes: borrowing RawSpan) { text += bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }

  func writable() {}

  func closed(_ error: IOError?) { isClosed = true }

  /// Waits until something holds.
  func wait(_ condition: () -> Bool) async throws {
    for _ in 0..<12_000 where !condition() { try await loop.sleep(for: .milliseconds(5)) }
    if !condition() { throw TestProcess.Failure("not in time; came:\n\(text)") }
  }

  /// Waits until this has come.
  func wait(for part: String) async throws { try await wait { text.contains(part) } }

  /// What came behind the head, without the framing of chunks.
  var body: String {
    guard let head = text.firstRange(of: "\r\n\r\n") else { return "" }
    var body = ""
    var rest = text[head.upperBound...]
    while let line = rest.firstRange(of: "\r\n"), let size = Int(rest[..<line.lowerBound], radix: 16), size > 0 {
      let chunk = rest[line.upperBound...].utf8.prefix(size)
      body += String(chunk) ?? ""
      rest = rest[chunk.endIndex...].dropFirst(1)
    }
    return body
  }
}
