import EventLoop
import Testing

@testable import RPC

/// A peer that sends any bytes it likes, and records the frames that come back.
// Confined to the loop of its test.
final class RawPeer: TCPConnectionDelegate, @unchecked Sendable {
  private let loop: EventLoop
  private var tcp: TCPConnection?
  private var decoder = FrameDecoder(payloadLimit: 16 << 20)
  private(set) var frames: [(header: FrameHeader, payload: [UInt8])] = []
  /// Everything that came.
  private(set) var bytes: [UInt8] = []
  private(set) var isClosed = false

  init(loop: EventLoop) { self.loop = loop }

  /// A peer on a connection that was accepted.
  convenience init(loop: EventLoop, _ tcp: TCPConnection) {
    self.init(loop: loop)
    begin(tcp)
  }

  func connect(port: Int) async throws {
    begin(try await TCPConnection.connect(loop: loop, host: "127.0.0.1", port: port, timeout: .seconds(5)))
  }

  private func begin(_ tcp: TCPConnection) {
    tcp.delegate = self
    tcp.start()
    self.tcp = tcp
  }

  func send(_ append: (inout [UInt8]) -> Void) {
    var bytes: [UInt8] = []
    append(&bytes)
    tcp?.write(&bytes)
  }

  func disconnect() { tcp?.abort() }

  func pause() { tcp?.pauseReading() }

  func resume() { tcp?.resumeReading() }

  var queuedBytes: Int { tcp?.queuedBytes ?? 0 }

  func until(_ condition: (RawPeer) -> Bool) async throws {
    for _ in 0..<2_500 where !condition(self) { try await loop.sleep(for: .milliseconds(2)) }
    #expect(condition(self))
  }

  func received(_ bytes: borrowing RawSpan) {
    bytes.withUnsafeBytes { self.bytes += $0 }
    do {
      try decoder.decode(bytes) { header, payload in
        frames.append((header, payload.withUnsafeBytes { Array($0) }))
        return true
      }
    } catch {
      Issue.record("the peer got a broken frame: \(error)")
    }
  }
  func writable() {}
  func closed(_ error: IOError?) { isClosed = true }
}
