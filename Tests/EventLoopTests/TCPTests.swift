import EventLoop
import Foundation
import TestSupport
import Testing

@Suite struct TCPTests {
  // Confined to the loop of its test.
  final class Recorder: TCPConnectionDelegate, @unchecked Sendable {
    var bytes: [UInt8] = []
    var isClosed = false
    var isEcho = false
    weak var connection: TCPConnection?

    func received(_ bytes: borrowing RawSpan) {
      var copy = bytes.withUnsafeBytes { Array($0) }
      if isEcho { connection?.write(&copy) } else { self.bytes += copy }
    }
    func writable() {}
    func closed(_ error: IOError?) { isClosed = true }
  }

  private static func echoServer(_ loop: EventLoop) throws -> TCPListener {
    try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { connection in
      let echo = Recorder()
      echo.isEcho = true
      echo.connection = connection
      connection.delegate = echo
      connection.start()
    }
  }

  private static func wait(_ loop: EventLoop, until condition: @Sendable () -> Bool) async throws {
    for _ in 0..<2_000 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    #expect(condition())
  }

  @Test(arguments: ["127.0.0.1", "localhost"])
  func `bytes come back from an echo, more than the socket takes at once`(host: String) async throws {
    try await onLoop { loop in
      let listener = try Self.echoServer(loop)
      let client = try await TCPConnection.connect(
        loop: loop, host: host, port: listener.port, timeout: .seconds(5))
      let recorder = Recorder()
      client.delegate = recorder
      client.start()
      let sent = (0..<8_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      var buffer = sent
      client.write(&buffer)
      #expect(buffer.isEmpty && client.queuedBytes > 0)
      try await Self.wait(loop) { recorder.bytes.count == sent.count }
      #expect(recorder.bytes == sent)
      client.close()
      listener.close()
    }
  }

  @Test func `a refused connection names the address`() async throws {
    let error = try await onLoop { loop in
      let listener = try Self.echoServer(loop)
      let port = listener.port
      listener.close()
      try await loop.sleep(for: .milliseconds(5))
      do {
        _ = try await TCPConnection.connect(loop: loop, host: "127.0.0.1", port: port, timeout: .seconds(5))
        return ""
      } catch {
        return "\(error)".replacingOccurrences(of: "\(port)", with: "PORT")
      }
    }
    #expect(error == "connect to 127.0.0.1:PORT: connection refused")
  }

  @Test func `a taken port is told from other errors`() async throws {
    try await onLoop { loop in
      let listener = try Self.echoServer(loop)
      do {
        _ = try TCPListener(loop: loop, host: "127.0.0.1", port: listener.port) { _ in }
        Issue.record("listened twice on one port")
      } catch let error as IOError {
        #expect(error.isAddressInUse)
      }
    }
  }

  @Test func `a host that is no address cannot be listened on`() async throws {
    try await onLoop { loop in
      _ = #expect(throws: IOError.self) { try TCPListener(loop: loop, host: "no such host", port: 0) { _ in } }
    }
  }

  @Test func `the peer's end is told once, and a close flushes first`() async throws {
    try await onLoop { loop in
      let server = Recorder()
      let listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { connection in
        server.connection = connection
        connection.delegate = server
        connection.start()
      }
      let client = try await TCPConnection.connect(
        loop: loop, host: "127.0.0.1", port: listener.port, timeout: .seconds(5))
      var bytes = [UInt8](repeating: 7, count: 3_000_000)
      client.start()
      client.write(&bytes)
      client.close()
      #expect(!client.isOpen)
      try await Self.wait(loop) { server.isClosed }
      #expect(server.bytes.count == 3_000_000)
    }
  }

  @Test func `a paused connection does not read`() async throws {
    try await onLoop { loop in
      let listener = try Self.echoServer(loop)
      let client = try await TCPConnection.connect(
        loop: loop, host: "127.0.0.1", port: listener.port, timeout: .seconds(5))
      let recorder = Recorder()
      client.delegate = recorder
      client.start()
      client.pauseReading()
      var bytes: [UInt8] = [1, 2, 3]
      client.write(&bytes)
      try await loop.sleep(for: .milliseconds(30))
      #expect(recorder.bytes.isEmpty)
      client.resumeReading()
      try await Self.wait(loop) { recorder.bytes == [1, 2, 3] }
    }
  }
}
