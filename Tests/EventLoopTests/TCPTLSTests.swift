import TLS
import TestSupport
import Testing

@testable import EventLoop

@Suite struct TCPTLSTests {
  // Confined to the loop of its test.
  final class Recorder: TCPConnectionDelegate, @unchecked Sendable {
    let connection: TCPConnection
    var bytes: [UInt8] = []
    var writableCount = 0
    var isEcho = false
    /// What ended the connection; the inner nil is a good end.
    var end: IOError??

    init(_ connection: TCPConnection) {
      self.connection = connection
      connection.delegate = self
    }

    func received(_ bytes: borrowing RawSpan) {
      var copy = bytes.withUnsafeBytes { Array($0) }
      self.bytes += copy
      if isEcho { connection.write(&copy) }
    }
    func writable() { writableCount += 1 }
    func closed(_ error: IOError?) { end = .some(error) }
    func plaintextAnswer(to bytes: borrowing RawSpan) -> [UInt8] { Array("speak TLS".utf8) }
  }

  // Confined to the loop of its test.
  final class Server: @unchecked Sendable {
    private(set) var accepted: [Recorder] = []
    private var listener: TCPListener!
    var port: Int { listener.port }

    init(_ loop: EventLoop, _ context: TLSContext?, isEcho: Bool = false, timeout: Duration = .seconds(10)) throws {
      listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { [unowned self] connection in
        let recorder = Recorder(connection)
        recorder.isEcho = isEcho
        accepted.append(recorder)
        if let engine = try? context?.makeEngine() { connection.secure(by: engine, handshakeTimeout: timeout) }
        connection.start()
      }
    }
  }

  private static let certificates = Result { try TestCertificates() }
  private static let identity = Result { try certificates.get().issue("server") }

  private static func serverContext(clientAuthorities: TLSConfiguration.File? = nil) throws -> TLSContext {
    try TLSContext(.server(identity: identity.get(), clientAuthorities: clientAuthorities))
  }

  private static func clientContext() throws -> TLSContext {
    try TLSContext(.client(serverAuthorities: certificates.get().authority))
  }

  private static func connect(_ loop: EventLoop, _ server: Server) async throws -> TCPConnection {
    try await TCPConnection.connect(loop: loop, host: "127.0.0.1", port: server.port, timeout: .seconds(5))
  }

  private static func connectByTLS(_ loop: EventLoop, _ server: Server) async throws -> Recorder {
    let connection = try await connect(loop, server)
    connection.secure(by: try clientContext().makeEngine(serverName: "127.0.0.1"))
    return Recorder(connection)
  }

  private static func wait(_ loop: EventLoop, until condition: @Sendable () -> Bool) async throws {
    for _ in 0..<15_000 where !condition() { try await loop.sleep(for: .milliseconds(2)) }
    try #require(condition())
  }

  private static func code(_ end: IOError??) -> TLSError.Code? { end.flatMap { $0 }?.tls?.code }

  @Test func `bytes come back from an echo, more than the socket takes at once`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, Self.serverContext(), isEcho: true)
      let client = try await Self.connectByTLS(loop, server)
      let sent = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      var buffer = sent
      client.connection.write(&buffer)
      #expect(buffer.isEmpty && client.connection.queuedBytes == sent.count)
      client.connection.start()
      try await Self.wait(loop) { client.bytes.count == sent.count }
      #expect(client.bytes == sent && client.connection.queuedBytes == 0 && client.writableCount > 0)
      client.connection.close()
      try await Self.wait(loop) { server.accepted[0].end != nil }
      #expect(server.accepted[0].end == .some(nil))
    }
  }

  @Test func `what was written before a close arrives, and the end is a good one`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, Self.serverContext())
      let client = try await Self.connectByTLS(loop, server)
      client.connection.start()
      var hello: [UInt8] = [1]
      client.connection.write(&hello)
      try await Self.wait(loop) { server.accepted.first?.bytes == [1] }
      var bytes = [UInt8](repeating: 7, count: 3_000_000)
      client.connection.write(&bytes)
      client.connection.close()
      try await Self.wait(loop) { server.accepted[0].end != nil }
      #expect(server.accepted[0].bytes.count == 3_000_001 && server.accepted[0].end == .some(nil))
    }
  }

  @Test func `a reader that stops makes its peer queue, and gets everything when it goes on`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, Self.serverContext(), isEcho: true)
      let client = try await Self.connectByTLS(loop, server)
      client.connection.start()
      var bytes: [UInt8] = [1]
      client.connection.write(&bytes)
      try await Self.wait(loop) { client.bytes == [1] }
      client.connection.pauseReading()
      bytes = [UInt8](repeating: 7, count: 16 << 20)
      client.connection.write(&bytes)
      try await Self.wait(loop) { server.accepted[0].connection.queuedBytes > 1 << 20 }
      client.connection.resumeReading()
      try await Self.wait(loop) { client.bytes.count == 16 << 20 + 1 }
      try await Self.wait(loop) { server.accepted[0].connection.queuedBytes == 0 }
    }
  }

  @Test func `an end without the peer's word is an error`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, Self.serverContext())
      let peer = Recorder(try await Self.connect(loop, server))
      let engine = try Self.clientContext().makeEngine()
      let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_024, alignment: 16)
      defer { room.deallocate() }
      try engine.start()
      peer.connection.start()
      peer.connection.write(&engine.output)
      while engine.state == .handshaking {
        try await Self.wait(loop) { !peer.bytes.isEmpty }
        let answer = peer.bytes
        peer.bytes = []
        try engine.receive(answer.span.bytes, into: room) { _ in true }
      }
      let word: [UInt8] = [1, 2, 3]
      try engine.write(word.span.bytes)
      peer.connection.write(&engine.output)
      peer.connection.close()
      try await Self.wait(loop) { server.accepted[0].end != nil }
      #expect(server.accepted[0].bytes == word && Self.code(server.accepted[0].end) == .truncated)
    }
  }

  @Test func `a handshake that stalls is given up`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, Self.serverContext(), timeout: .milliseconds(20))
      let peer = Recorder(try await Self.connect(loop, server))
      peer.connection.start()
      var beginning: [UInt8] = [22, 3, 1]
      peer.connection.write(&beginning)
      try await Self.wait(loop) { server.accepted.first?.end != nil && peer.end != nil }
      #expect(Self.code(server.accepted[0].end) == .timedOut)
    }
  }

  @Test func `a handshake that is over is not given up`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, Self.serverContext(), isEcho: true)
      let client = try await Self.connectByTLS(loop, server)
      client.connection.start()
      var bytes: [UInt8] = [1]
      client.connection.write(&bytes)
      try await Self.wait(loop) { client.bytes == [1] }
      for connection in [client.connection, server.accepted[0].connection] {
        #expect(connection.tls != nil && connection.tls?.handshakeTimer == nil)
      }
    }
  }

  @Test func `a client without TLS is answered without it`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, Self.serverContext())
      let client = Recorder(try await Self.connect(loop, server))
      client.connection.start()
      var bytes = Array("GET / HTTP/1.1\r\n\r\n".utf8)
      client.connection.write(&bytes)
      try await Self.wait(loop) { client.end != nil }
      #expect(client.bytes == Array("speak TLS".utf8) && client.end == .some(nil))
      #expect(Self.code(server.accepted[0].end) == .notTLS && server.accepted[0].bytes.isEmpty)
    }
  }

  @Test func `a server without TLS is told from one with it`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, nil, isEcho: true)
      let client = Recorder(try await Self.connect(loop, server))
      client.connection.secure(by: try Self.clientContext().makeEngine(serverName: "127.0.0.1"))
      client.connection.start()
      // An echo of the client's own greeting is TLS, but no server's.
      try await Self.wait(loop) { client.end != nil }
      #expect(Self.code(client.end) == .protocolViolation)
    }
  }

  @Test func `a client hears why a server refuses it`() async throws {
    try await onLoop { loop in
      let server = try Server(loop, Self.serverContext(clientAuthorities: Self.certificates.get().authority))
      let client = try await Self.connectByTLS(loop, server)
      client.connection.start()
      var bytes = [UInt8](repeating: 1, count: 1 << 20)
      client.connection.write(&bytes)
      try await Self.wait(loop) { client.end != nil }
      #expect(Self.code(client.end) == .certificateRequired)
      #expect(server.accepted[0].bytes.isEmpty)
    }
  }
}
