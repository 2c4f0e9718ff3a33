import EventLoop
@testable import HTTP
import TLS
import Testing

/// A client that sends bytes and gathers what comes back.
// Confined to the loop of its test.
final class RawClient: TCPConnectionDelegate, @unchecked Sendable {
  let loop: EventLoop
  let connection: TCPConnection
  private(set) var bytes: [UInt8] = []
  private(set) var isClosed = false
  private var framesEnd = 0
  private var framesSeen: [HTTP2Wire] = []
  /// What ended the connection; nil after a good end.
  private(set) var error: IOError?

  init(_ server: HTTPServer, tls: TLSEngine? = nil) async throws {
    loop = server.loop
    connection = try await TCPConnection.connect(
      loop: server.loop, host: "127.0.0.1", port: server.port, timeout: .seconds(5))
    if let tls { connection.secure(by: tls) }
    connection.delegate = self
    connection.start()
  }

  func received(_ bytes: borrowing RawSpan) {
    bytes.withUnsafeBytes { self.bytes.append(contentsOf: $0) }
  }
  func writable() {}
  func closed(_ error: IOError?) {
    self.error = error
    isClosed = true
  }

  /// What came, as frames of HTTP/2.
  var frames: [HTTP2Wire] {
    while let (frame, end) = HTTP2Wire.frame(in: bytes, at: framesEnd) {
      framesSeen.append(frame)
      framesEnd = end
    }
    return framesSeen
  }

  /// What came, as text.
  var received: String { String(decoding: bytes, as: UTF8.self) }

  func send(_ text: String) { send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) {
    var copy = bytes
    connection.write(&copy)
  }

  /// Waits for `count` responses; returns everything received, without dates.
  func responses(_ count: Int) async throws -> String {
    try await wait { self.received.components(of: "HTTP/1.1 ") >= count }
    return received.withoutDates
  }

  func waitForClose() async throws { try await wait { self.isClosed } }

  func wait(until condition: () -> Bool) async throws {
    for _ in 0..<2_500 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    #expect(condition(), "received so far: \(received)")
  }
}

extension String {
  fileprivate func components(of separator: String) -> Int {
    split(separator: separator, omittingEmptySubsequences: false).count - 1
  }

  var withoutDates: String {
    var lines = split(separator: "\r\n", omittingEmptySubsequences: false)
    lines.removeAll { $0.hasPrefix("Date: ") }
    return lines.joined(separator: "\r\n")
  }
}
