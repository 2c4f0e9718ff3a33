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

  // Confined to the loop of its test.
  private final class Clock: TCPConnectionDelegate, @unchecked Sendable {
    let loop: EventLoop
    var errors: [Duration] = []

    init(_ loop: EventLoop) { self.loop = loop }

    func received(_ bytes: borrowing RawSpan) { errors.append(LoopInstant.current - loop.now) }
    func writable() {}
    func closed(_ error: IOError?) {}
  }

  @Test func `the clock is right for what comes after a long time of nothing`() async throws {
    try await onLoop { loop in
      let clock = Clock(loop)
      let listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { connection in
        connection.delegate = clock
        connection.start()
      }
      let port = listener.port
      // From a loop of its own, so that nothing wakes this one meanwhile.
      try await onLoop { other in
        let client = try await TCPConnection.connect(loop: other, host: "127.0.0.1", port: port, timeout: .seconds(5))
        for _ in 0..<3 {
          try await other.sleep(for: .milliseconds(200))
          var byte: [UInt8] = [1]
          client.write(&byte)
        }
        try await other.sleep(for: .milliseconds(20))
      }
      try await Self.wait(loop) { !clock.errors.isEmpty }
      // A busy machine may stop the process between two looks at the clock, but not each time.
      #expect(clock.errors.min()! < .milliseconds(100))
      listener.close()
    }
  }

  @Test func `work that blocks runs beside the loop, and its result comes back to it`() async throws {
    try await onLoop { loop in
      let turns = Locked(0)
      let ticking = loop.startTask {
        while !Task.isCancelled {
          turns.withLock { $0 += 1 }
          try? await loop.sleep(for: .milliseconds(1))
        }
      }
      let wasOnLoop = await loop.offload {
        // Ends when the loop has gone on.
        for _ in 0..<2_000 where turns.withLock({ $0 }) < 5 { Thread.sleep(forTimeInterval: 0.005) }
        return loop.isCurrent
      }
      #expect(!wasOnLoop && loop.isCurrent && turns.withLock { $0 } >= 5)
      ticking.cancel()
    }
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
