package import EventLoop
package import TLS

/// An HTTP server on one event loop: HTTP/1.1 and HTTP/2, in plaintext or by TLS.
///
/// Every request starts `handler` at once, on the loop, in a task of its own; the task is cancelled when the client
/// goes away. Responses of a loop turn go out together.
// Confined to its event loop; every entry but `beginGracefulShutdown` checks it.
package final class HTTPServer: @unchecked Sendable {
  /// Answers a request.
  package typealias Handler = @Sendable (HTTPRequest) async -> HTTPResponse

  let loop: EventLoop
  let limits: HTTPLimits
  let handler: Handler
  let compression: ResponseCompression?
  let refuse: @Sendable (HTTPRefusal) -> HTTPResponse
  /// What the bodies of requests of all connections take.
  let held: HeldBytes
  /// What responses of HTTP/2 take that wait to be read.
  let heldResponses: HeldBytes
  private(set) var encoder = ResponseEncoder()
  private(set) var isDraining = false
  /// Requests whose handler has not answered.
  package private(set) var requestCount = 0
  /// Those of them whose responses are being sent, by a producer or as a WebSocket.
  private var streamCount = 0
  /// Requests whose handler was started, since the beginning.
  package private(set) var requestTotal = 0
  private let tls: TLSContextSource?
  private var listener: TCPListener?
  private var connections: [ObjectIdentifier: any ServedConnection] = [:]
  private var unflushed: [any ServedConnection] = []
  private var spareBuffers = BufferPool()
  private var dated: LoopInstant?
  private var sweep: LoopTimer?
  private var drain: LoopTimer?
  private var finished: UnsafeContinuation<Void, Never>?
  /// The port that is listened on.
  package let port: Int

  /// What a server says in ALPN that it speaks (RFC 7301), the preferred first.
  package static let applicationProtocols = [http2, "http/1.1"]
  static let http2 = "h2"

  /// Listens on `host` and `port` (0 takes a free one) and answers from now on. Only on the loop.
  ///
  /// - Parameters:
  ///   - tls: encrypts every connection; it should offer ``applicationProtocols``.
  ///   - compresses: whether texts of 1 KB to 1 MB that are there as a whole are sent as gzip to clients that want it.
  ///   - refuse: makes the answers to requests that are not taken at all; by default plain text.
  package init(
    loop: EventLoop, host: String, port: Int, limits: HTTPLimits = HTTPLimits(), tls: TLSContextSource? = nil,
    compresses: Bool = false,
    refuse: @escaping @Sendable (HTTPRefusal) -> HTTPResponse = HTTPResponse.text,
    handler: @escaping Handler
  ) throws(IOError) {
    self.loop = loop
    self.limits = limits
    held = HeldBytes(max: limits.heldBytesInAllMax)
    heldResponses = HeldBytes(max: limits.heldBytesInAllMax)
    self.tls = tls
    compression = compresses ? ResponseCompression() : nil
    self.handler = handler
    self.refuse = refuse
    let acceptor = Acceptor()
    let listener = try TCPListener(loop: loop, host: host, port: port) { acceptor.server?.accept($0) }
    self.listener = listener
    self.port = listener.port
    acceptor.server = self
    scheduleSweep()
  }

  /// Lasts until ``beginGracefulShutdown()`` and until every connection has ended, the time for that being bounded.
  ///
  /// Cancelling it ends all connections at once.
  package func run() async {
    loop.preconditionCurrent()
    await withTaskCancellationHandler {
      if isFinished { return }
      await withUnsafeContinuation { finished = $0 }
    } onCancel: {
      loop.execute { self.end() }
    }
  }

  /// Accepts no more, closes idle connections and lets requests in work finish; from any thread.
  package func beginGracefulShutdown() {
    loop.execute { self.startDraining() }
  }

  /// How many connections are open.
  package var connectionCount: Int { connections.count }

  private var isFinished: Bool { isDraining && connections.isEmpty }

  private func startDraining() {
    if isDraining { return }
    isDraining = true
    listener?.close()
    listener = nil
    for connection in connections.values { connection.drain() }
    drain = loop.schedule(after: limits.drainTimeout) { self.end() }
    finishIfDone()
  }

  private func end() {
    startDraining()
    for connection in connections.values { connection.abort() }
  }

  private func finishIfDone() {
    guard isFinished else { return }
    drain?.cancel()
    sweep?.cancel()
    finished?.resume()
    finished = nil
  }

  private func accept(_ tcp: TCPConnection) {
    if let tls {
      do throws(TLSError) { tcp.secure(by: try tls.current().makeEngine()) } catch { return tcp.abort() }
    }
    let connection = HTTPConnection(server: self, tcp: tcp)
    connections[ObjectIdentifier(connection)] = connection
    connection.start()
    if connections.count > limits.connectionsMax {
      connection.refuse(.overloaded("This server has too many connections."))
    }
  }

  /// A connection goes on by another protocol.
  func replace(_ connection: HTTPConnection, by successor: any ServedConnection) {
    connections[ObjectIdentifier(connection)] = nil
    connections[ObjectIdentifier(successor)] = successor
  }

  /// Forgets a connection that has ended.
  func ended(_ connection: any ServedConnection) {
    connections[ObjectIdentifier(connection)] = nil
    finishIfDone()
  }

  private func scheduleSweep() {
    let shortest = min(limits.headTimeout, limits.bodyTimeout, limits.idleTimeout, limits.sendTimeout)
    sweep = loop.schedule(after: max(.milliseconds(5), min(.seconds(1), shortest / 4))) {
      for connection in self.connections.values { connection.checkDeadlines() }
      if !self.isFinished { self.scheduleSweep() }
    }
  }

  /// Counts a request whose handler starts; false when there are too many.
  func beginRequest() -> Bool {
    if requestCount - streamCount >= limits.requestsMax { return false }
    requestCount += 1
    requestTotal += 1
    return true
  }

  /// Counts a request whose handler has answered.
  func endRequest() { requestCount -= 1 }

  /// The head of a response is there, and the rest of it is made while it is sent.
  func beginStream() { streamCount += 1 }

  /// Such a response has ended, and its request with it.
  func endStream() {
    streamCount -= 1
    endRequest()
  }

  /// Has `connection` flushed when this turn of the loop ends.
  func flushAtEndOfTurn(_ connection: any ServedConnection) {
    unflushed.append(connection)
    if unflushed.count > 1 { return }
    loop.atEndOfTurn {
      let connections = self.unflushed
      self.unflushed.removeAll(keepingCapacity: true)
      for connection in connections { connection.flush() }
    }
  }

  /// Writes a response to a connection's output.
  func encode(_ response: HTTPResponse, _ context: ResponseEncoder.Context, to output: inout [UInt8]) {
    renewDate()
    encoder.append(response, context, to: &output)
  }

  /// The value of `Date`.
  var date: ArraySlice<UInt8> {
    renewDate()
    return encoder.dateLine.dropFirst("Date: ".utf8.count).dropLast(2)
  }

  private func renewDate() {
    guard dated.map({ loop.now - $0 >= .seconds(1) }) ?? true else { return }
    dated = loop.now
    encoder.dateLine = Array("Date: \(HTTPDate.now)\r\n".utf8)
  }

  /// An empty buffer, perhaps one that was used before.
  func takeBuffer() -> [UInt8] { spareBuffers.take() }

  /// Takes back an empty buffer.
  func giveBack(_ buffer: consuming [UInt8]) { spareBuffers.giveBack(buffer) }
}

/// Lets the listener's closure know the server, which is made after it.
// Confined to its server's event loop.
private final class Acceptor: @unchecked Sendable {
  weak var server: HTTPServer?
}

/// Buffers that connections share, so that an idle connection holds none.
private struct BufferPool {
  private static let buffersMax = 64
  private static let capacityMax = 64 * 1024
  private var buffers: [[UInt8]] = []

  mutating func take() -> [UInt8] { buffers.popLast() ?? [] }

  mutating func giveBack(_ buffer: consuming [UInt8]) {
    if buffers.count < Self.buffersMax, buffer.capacity <= Self.capacityMax { buffers.append(buffer) }
  }
}
