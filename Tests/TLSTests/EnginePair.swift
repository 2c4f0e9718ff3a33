import TestSupport
import Testing

@testable import TLS

/// Two engines that talk to each other, without sockets.
final class EnginePair {
  let client: TLSEngine
  let server: TLSEngine
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
  private(set) var clientHeard: [UInt8] = []
  private(set) var serverHeard: [UInt8] = []

  init(_ client: TLSContext, _ server: TLSContext, serverName: String? = "localhost") throws {
    self.client = try client.makeEngine(serverName: serverName)
    self.server = try server.makeEngine()
    try self.client.start()
  }

  deinit { buffer.deallocate() }

  /// Lets `engine` send `bytes`.
  func write(_ bytes: [UInt8], on engine: TLSEngine) throws(TLSError) { try engine.write(bytes.span.bytes) }

  /// Takes what `engine` wants to send.
  func take(_ engine: TLSEngine) -> [UInt8] {
    defer { engine.output = [] }
    return engine.output
  }

  /// Gives `bytes` to `engine`.
  func give(_ bytes: [UInt8], to engine: TLSEngine) throws(TLSError) {
    try engine.receive(bytes.span.bytes, into: buffer) { plaintext in
      plaintext.withUnsafeBytes { if engine === client { clientHeard += $0 } else { serverHeard += $0 } }
      return true
    }
  }

  /// Carries bytes to and fro until neither has anything to say.
  func exchange() throws(TLSError) {
    while !client.output.isEmpty || !server.output.isEmpty {
      try give(take(client), to: server)
      try give(take(server), to: client)
    }
  }

  /// What ends the exchange on the side that finds it, or on the other that it tells.
  func failure() -> (client: TLSError?, server: TLSError?) {
    var errors: (client: TLSError?, server: TLSError?)
    while !client.output.isEmpty || !server.output.isEmpty {
      do throws(TLSError) { try give(take(client), to: server) } catch { errors.server = error }
      do throws(TLSError) { try give(take(server), to: client) } catch { errors.client = error }
    }
    return errors
  }
}
