import TestSupport
import Testing

@testable import TLS

@Suite struct TLSEngineTests {
  private static let certificates = Result { try TestCertificates() }
  private let certificates: TestCertificates
  private let server: TLSContext
  private let client: TLSContext

  init() throws {
    certificates = try Self.certificates.get()
    let identity = try Self.identity.get()
    server = try TLSContext(.server(identity: identity, applicationProtocols: ["gozon/1"]))
    client = try TLSContext(.client(serverAuthorities: certificates.authority, applicationProtocols: ["gozon/1"]))
  }

  private static let identity = Result { try certificates.get().issue("server") }
  private static let clientIdentity = Result { try certificates.get().issue("client") }

  private func openPair() throws -> EnginePair {
    let pair = try EnginePair(client, server)
    try pair.exchange()
    #expect(pair.client.state == .open && pair.server.state == .open)
    return pair
  }

  // MARK: - The handshake

  @Test func `both sides agree on a protocol, and the client knows the server's name`() throws {
    let pair = try openPair()
    #expect(pair.client.applicationProtocol == "gozon/1" && pair.server.applicationProtocol == "gozon/1")
    #expect(pair.client.peerSubject == "CN=server,O=Gozon" && pair.server.peerSubject == nil)
  }

  @Test func `mutual TLS tells the server who the client is`() throws {
    let server = try TLSContext(
      .server(identity: Self.identity.get(), clientAuthorities: certificates.authority))
    let client = try TLSContext(
      .client(serverAuthorities: certificates.authority, identity: Self.clientIdentity.get()))
    let pair = try EnginePair(client, server)
    try pair.exchange()
    #expect(pair.server.peerSubject == "CN=client,O=Gozon")
  }

  @Test func `a client without certificate is refused where one is required, and told so`() throws {
    let server = try TLSContext(
      .server(identity: Self.identity.get(), clientAuthorities: certificates.authority))
    let failure = try EnginePair(client, server).failure()
    #expect(failure.client?.code == .certificateRequired)
    #expect(failure.server?.code == .protocolViolation)
  }

  @Test func `a client's certificate of another authority is refused`() throws {
    let others = try TestCertificates()
    let stranger = try others.issue("stranger")
    let server = try TLSContext(
      .server(identity: Self.identity.get(), clientAuthorities: certificates.authority))
    let client = try TLSContext(.client(serverAuthorities: certificates.authority, identity: stranger))
    let failure = try EnginePair(client, server).failure()
    #expect(failure.server?.code == .certificateRefused)
    if case .alert = failure.client?.code {} else { Issue.record("\(failure)") }
  }

  @Test func `a server's certificate of another authority is refused`() throws {
    let others = try TestCertificates()
    let client = try TLSContext(.client(serverAuthorities: others.authority))
    let failure = try EnginePair(client, server).failure()
    #expect(failure.client?.code == .certificateRefused)
    #expect(failure.server?.code == .alert(48))
  }

  @Test(arguments: ["localhost", "127.0.0.1", nil])
  func `a server is known by its names and addresses`(name: String?) throws {
    let pair = try EnginePair(client, server, serverName: name)
    try pair.exchange()
    #expect(pair.client.state == .open)
  }

  @Test(arguments: ["example.com", "127.0.0.2", "::1", "server", "localhost.example.com"])
  func `a server of another name is refused`(name: String) throws {
    let failure = try EnginePair(client, server, serverName: name).failure()
    #expect(failure.client?.code == .certificateRefused)
    #expect(failure.client?.message.contains("mismatch") == true, "\(failure)")
  }

  @Test func `a server whose certificate has expired is refused`() throws {
    let identity = try certificates.issue("expired", .past)
    let server = try TLSContext(.server(identity: identity), at: TestCertificates.pastUnixSeconds)
    let failure = try EnginePair(client, server).failure()
    #expect(failure.client?.message == "the peer's certificate is refused: certificate has expired")
  }

  @Test func `a client that offers only other protocols is refused, one that offers none is not`() throws {
    let other = try TLSContext(.client(serverAuthorities: certificates.authority, applicationProtocols: ["h2"]))
    #expect(try EnginePair(other, server).failure().client?.code == .alert(120))
    let silent = try EnginePair(TLSContext(.client(serverAuthorities: certificates.authority)), server)
    try silent.exchange()
    #expect(silent.server.state == .open && silent.server.applicationProtocol == nil)
  }

  @Test(arguments: ["", "a\0b", String(repeating: "a", count: 300)])
  func `a name that no certificate can have is refused before anything is sent`(name: String) {
    #expect(throws: TLSError.self) { try client.makeEngine(serverName: name) }
  }

  @Test func `a handshake may come byte by byte`() throws {
    let pair = try EnginePair(client, server)
    while !pair.client.output.isEmpty || !pair.server.output.isEmpty {
      for byte in pair.take(pair.client) { try pair.give([byte], to: pair.server) }
      for byte in pair.take(pair.server) { try pair.give([byte], to: pair.client) }
    }
    #expect(pair.client.state == .open && pair.server.state == .open)
  }

  // MARK: - Bytes

  @Test(arguments: [1, 16_384, 16_385, 1 << 20])
  func `what is written comes out, both ways`(count: Int) throws {
    let pair = try openPair()
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try pair.client.write(bytes.span.bytes)
    try pair.server.write(bytes.span.bytes)
    #expect(pair.client.output.count <= count + (count / 16_384 + 1) * 96)
    try pair.exchange()
    #expect(pair.serverHeard == bytes && pair.clientHeard == bytes)
  }

  @Test func `what is written before the handshake is over waits for it`() throws {
    let pair = try EnginePair(client, server)
    try pair.write([1, 2, 3], on: pair.client)
    try pair.write([4, 5], on: pair.server)
    #expect(pair.client.pendingBytes == 3 && pair.server.pendingBytes == 2)
    try pair.exchange()
    #expect(pair.client.pendingBytes == 0 && pair.server.pendingBytes == 0)
    #expect(pair.serverHeard == [1, 2, 3] && pair.clientHeard == [4, 5])
  }

  @Test func `a reader that has enough gets no more`() throws {
    let pair = try openPair()
    try pair.client.write([UInt8](repeating: 1, count: 200_000).span.bytes)
    let bytes = pair.take(pair.client)
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1_000, alignment: 16)
    defer { room.deallocate() }
    var calls = 0
    try pair.server.receive(bytes.span.bytes, into: room) { plaintext in
      calls += 1
      #expect(plaintext.byteCount == 1_000)
      return calls < 3
    }
    #expect(calls == 3)
  }

  // MARK: - The end

  @Test func `an end that the peer announced is no error`() throws {
    let pair = try openPair()
    try pair.write([7], on: pair.client)
    pair.client.close()
    try pair.exchange()
    #expect(pair.serverHeard == [7] && pair.server.state == .ended)
    try pair.server.inputEnded()
  }

  @Test func `an end that the peer did not announce is an error`() throws {
    let pair = try openPair()
    let error = #expect(throws: TLSError.self) { try pair.server.inputEnded() }
    #expect(error?.code == .truncated)
    let young = try EnginePair(client, server)
    #expect(throws: TLSError.self) { try young.server.inputEnded() }
  }

  @Test func `nothing is written after the close, and nothing read after the peer's`() throws {
    let pair = try openPair()
    pair.client.close()
    try pair.write([1], on: pair.client)
    pair.client.close()
    let goodbye = pair.take(pair.client)
    try pair.give(goodbye + goodbye, to: pair.server)
    #expect(pair.server.state == .ended && pair.serverHeard.isEmpty)
  }

  @Test func `records cut off anywhere are an error at the end of the bytes`() throws {
    let pair = try openPair()
    try pair.write([1, 2, 3], on: pair.client)
    let record = pair.take(pair.client)
    for byte in record.dropLast() {
      try pair.give([byte], to: pair.server)
      #expect(pair.serverHeard.isEmpty)
    }
    #expect(throws: TLSError.self) { try pair.server.inputEnded() }
  }

  @Test func `any bit that is changed on the way is an error`() throws {
    let length = try { () throws in
      let pair = try openPair()
      try pair.write([1, 2, 3], on: pair.client)
      return pair.client.output.count
    }()
    for bit in 0..<(length * 8) {
      let pair = try openPair()
      try pair.write([1, 2, 3], on: pair.client)
      var record = pair.take(pair.client)
      record[bit / 8] ^= 1 << (bit % 8)
      let error = #expect(throws: TLSError.self, "bit \(bit)") {
        try pair.give(record, to: pair.server)
        try pair.server.inputEnded()
      }
      #expect(error.map { [.protocolViolation, .truncated].contains($0.code) } == true, "bit \(bit): \(error as Any)")
      #expect(pair.serverHeard.isEmpty)
      // What comes after an error is not read.
      try pair.give(record, to: pair.server)
      #expect(pair.server.state == .failed)
    }
  }

  @Test(arguments: [1, 2, 3])
  func `a handshake that is changed on the way fails, or changes nothing`(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<100 {
      let pair = try EnginePair(client, server)
      try pair.write([1, 2, 3], on: pair.client)
      let flight = Int.random(in: 0..<3, using: &random)
      var sent = 0
      func carry(_ from: TLSEngine, _ to: TLSEngine) {
        var bytes = pair.take(from)
        if bytes.isEmpty { return }
        if sent == flight {
          bytes[Int.random(in: bytes.indices, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
        }
        sent += 1
        try? pair.give(bytes, to: to)
      }
      while !pair.client.output.isEmpty || !pair.server.output.isEmpty {
        carry(pair.client, pair.server)
        carry(pair.server, pair.client)
      }
      #expect(pair.serverHeard.isEmpty || pair.serverHeard == [1, 2, 3])
    }
  }

  // MARK: - Other protocols

  @Test(arguments: ["GET / HTTP/1.1\r\n\r\n", "\u{14}\0\0\0\0\0\0\0", "SSH-2.0-x\r\n", "\u{16}GET", "\u{15}\u{3}\u{3}"])
  func `a server tells other protocols from TLS by their first bytes`(greeting: String) throws {
    let pair = try EnginePair(client, server)
    let error = #expect(throws: TLSError.self) { try pair.give(Array(greeting.utf8), to: pair.server) }
    #expect(error?.code == .notTLS)
    #expect(pair.server.output.isEmpty)
  }

  @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "\u{48}\0\0\0", "\u{15}\0\0\0", "\u{16}\0\0\0"])
  func `a client tells a server of something else by its first bytes`(answer: String) throws {
    let pair = try EnginePair(client, server)
    let error = #expect(throws: TLSError.self) { try pair.give(Array(answer.utf8), to: pair.client) }
    #expect(error?.code == .notTLS)
  }
}
