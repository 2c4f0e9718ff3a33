package import EventLoop

/// Stands between clients and a server: cuts what is said into other pieces, holds them back for a while, and cuts some
/// connections at a byte that its seed has chosen.
// Confined to its event loop.
package final class UnreliableProxy: @unchecked Sendable {
  private let loop: EventLoop
  private let target: Int
  private var random: SeededRandom
  private var listener: TCPListener!
  /// How many connections will still be cut.
  private var cutsLeft: Int
  private var connections: [Link] = []

  /// A proxy of the local port `target` that cuts the first `cuts` connections.
  package init(loop: EventLoop, target: Int, cuts: Int, random: SeededRandom) throws(IOError) {
    self.loop = loop
    self.target = target
    self.random = random
    cutsLeft = cuts
    listener = try TCPListener(loop: loop, host: "127.0.0.1", port: 0) { [unowned self] in accept($0) }
  }

  /// Where it listens.
  package var port: Int { listener.port }

  /// Accepts no more, and cuts what there is.
  package func close() {
    listener.close()
    for connection in connections { connection.cut() }
    connections = []
  }

  private func accept(_ client: TCPConnection) {
    let bytes = cutsLeft > 0 ? Int.random(in: 0...400_000, using: &random) : Int.max
    cutsLeft -= 1
    let link = Link(loop: loop, client: client, bytesLeft: bytes, random: SeededRandom(seed: random.next()))
    connections.append(link)
    loop.startTask { [self] in
      do {
        link.begin(
          try await TCPConnection.connect(loop: loop, host: "127.0.0.1", port: target, timeout: .seconds(5)))
      } catch {
        link.cut()
      }
    }
  }
}

/// One connection, both ways.
// Confined to its event loop.
private final class Link: @unchecked Sendable {
  let loop: EventLoop
  private let client: TCPConnection
  private var server: TCPConnection?
  private var ways: [Way] = []
  /// How many bytes still go through, of both ways together.
  private var bytesLeft: Int
  var random: SeededRandom

  init(loop: EventLoop, client: TCPConnection, bytesLeft: Int, random: SeededRandom) {
    self.loop = loop
    self.client = client
    self.bytesLeft = bytesLeft
    self.random = random
  }

  func begin(_ server: TCPConnection) {
    self.server = server
    ways = [Way(self, to: server), Way(self, to: client)]
    client.delegate = ways[0]
    server.delegate = ways[1]
    client.start()
    server.start()
  }

  func cut() {
    client.abort()
    server?.abort()
    ways = []
  }

  /// Takes so many bytes off what may go through; false when they are the ones too many.
  func spend(_ count: Int) -> Bool {
    bytesLeft -= min(bytesLeft, count)
    return bytesLeft > 0
  }
}

/// What one side says, on its way to the other.
// Confined to the loop of its connections.
private final class Way: TCPConnectionDelegate, @unchecked Sendable {
  private let link: Link
  private let sink: TCPConnection
  private var waiting: [UInt8] = []
  private var isMoving = false
  private var isClosing = false

  init(_ link: Link, to sink: TCPConnection) {
    self.link = link
    self.sink = sink
  }

  func received(_ bytes: borrowing RawSpan) {
    bytes.withUnsafeBytes { waiting += $0 }
    move()
  }

  func writable() {}

  func closed(_ error: IOError?) {
    isClosing = true
    move()
  }

  /// Sends pieces of what waits, one at a time and after a while each.
  private func move() {
    if isMoving { return }
    guard !waiting.isEmpty else {
      if isClosing { sink.close() }
      return
    }
    isMoving = true
    // Mostly at once, or a test would take as long as its pieces are many.
    let delay = Int.random(in: 0..<8, using: &link.random) == 0 ? Int.random(in: 1...3, using: &link.random) : 0
    _ = link.loop.schedule(after: .milliseconds(delay)) { [self] in
      isMoving = false
      var piece = Array(waiting.prefix(Int.random(in: 1...20_000, using: &link.random)))
      waiting.removeFirst(piece.count)
      guard link.spend(piece.count) else { return link.cut() }
      sink.write(&piece)
      move()
    }
  }
}
