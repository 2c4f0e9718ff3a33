package import EventLoop

/// Stands between a client and a server, and cuts their connection when the client says a word.
// Confined to its event loop.
package final class CuttingProxy: @unchecked Sendable {
  /// When a connection is cut.
  package enum Moment: Sendable {
    /// The server never hears the word.
    case beforeTheServerHears
    /// The server hears the word and does what it says; the client never hears its answer.
    case beforeTheClientHears
  }

  private let loop: EventLoop
  private let target: Int
  private let word: [UInt8]
  private let moment: Moment
  private var listener: TCPListener!
  /// How often the word still leads to a cut.
  package var cutsLeft: Int

  /// A proxy of the local port `target` that cuts the first `cuts` connections on which `word` is said.
  package init(loop: EventLoop, target: Int, word: String, moment: Moment, cuts: Int = 1) throws(IOError) {
    self.loop = loop
    self.target = target
    self.word = Array(word.utf8)
    self.moment = moment
    cutsLeft = cuts
    listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { [unowned self] in accept($0) }
  }

  /// Where it listens.
  package var port: Int { listener.port }

  /// Accepts no more.
  package func close() { listener.close() }

  private func accept(_ client: TCPConnection) {
    loop.startTask { [self] in
      do {
        let server = try await TCPConnection.connect(loop: loop, host: "127.0.0.1", port: target, timeout: .seconds(5))
        let (upward, downward) = (Pipe(to: server), Pipe(to: client))
        upward.onBytes = { [unowned self] bytes in
          guard cutsLeft > 0, contains(bytes) else { return true }
          cutsLeft -= 1
          downward.isMuted = true
          if case .beforeTheServerHears = moment {
            server.abort()
            client.abort()
            return false
          }
          // Time for the server to do what it was told.
          _ = loop.schedule(after: .milliseconds(100)) {
            server.abort()
            client.abort()
          }
          return true
        }
        client.delegate = upward
        server.delegate = downward
        client.start()
        server.start()
      } catch {
        client.abort()
      }
    }
  }

  private func contains(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= word.count else { return false }
    return (0...(bytes.count - word.count)).contains { bytes[$0..<($0 + word.count)].elementsEqual(word) }
  }
}

/// What one side says, on its way to the other.
// Confined to the loop of its connections.
private final class Pipe: TCPConnectionDelegate, @unchecked Sendable {
  private let sink: TCPConnection
  var onBytes: ([UInt8]) -> Bool = { _ in true }
  var isMuted = false

  init(to sink: TCPConnection) { self.sink = sink }

  func received(_ bytes: borrowing RawSpan) {
    var bytes = bytes.withUnsafeBytes { Array($0) }
    if onBytes(bytes), !isMuted { sink.write(&bytes) }
  }

  func writable() {}

  func closed(_ error: IOError?) { sink.close() }
}
