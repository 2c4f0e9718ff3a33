package import EventLoop
package import TLS
package import Wire

/// Calls one server; keeps a connection to it, and makes a new one when it is lost. It makes a call once; an ``RPCPool``
/// of it is for callers who want more.
// Confined to its event loop; every entry checks it.
package final class RPCClient: PoolConnection, @unchecked Sendable {
  /// How a client connects.
  package struct Options: Sendable {
    /// The time for one attempt to connect.
    package var connectTimeout: Duration = .seconds(3)
    /// The first wait after a failed attempt; it doubles up to ``backoffMax``, with jitter.
    package var backoffMin: Duration = .milliseconds(20)
    /// The longest wait between attempts.
    package var backoffMax: Duration = .seconds(2)
    /// The longest payload of a response, in bytes.
    package var payloadBytesMax = 4 << 20
    /// Calls that wait for a connection at once; more fail with RESOURCE_EXHAUSTED.
    package var waitingMax = 8_192
    /// Bytes of messages that the server may send ahead of the reader of a call.
    package var callWindow = 256 << 10
    /// Bytes of messages that the server may send ahead of the readers of all calls.
    package var connectionWindow = 4 << 20
    /// When the server is looked after.
    package var keepalive = Keepalive.Options()
    /// What the client calls itself to the server.
    package var name = ""
    /// What the client proves itself by, where the server asks for it.
    package var token: ServiceToken?
    /// What encrypts connections, with ``RPCProtocol/name`` as its protocol; nil for plaintext.
    package var tls: TLSContextSource?
    /// The usual options.
    package init() {}
  }

  /// The server, as `host:port`.
  package let address: String
  private let host: String
  private let port: Int
  private let loop: EventLoop
  private let options: Options
  private var connection: ClientConnection?
  /// A connection whose server has not greeted yet.
  private var opening: ClientConnection?
  private var waiting: CallQueue!
  private var isStopping = false
  /// Why there is no connection.
  private var lastError: RPCError
  /// Whether there will be an attempt to connect without a wait before it.
  private var isConnecting = true
  /// When the present connection was opened.
  private var opened = LoopInstant(nanoseconds: 0)
  /// Ends the wait before the next attempt.
  private let wakeUp: LoopSignal
  private var connectionEnded: UnsafeContinuation<Void, Never>?
  private var attemptWaiters: [UnsafeContinuation<Void, Never>] = []
  package var onStateChange: (() -> Void)?

  /// A client of the server at `host` and `port`; it connects in ``run()``.
  package init(loop: EventLoop, host: String, port: Int, options: Options = Options()) {
    self.loop = loop
    self.host = host
    self.port = port
    self.options = options
    address = "\(host):\(port)"
    lastError = RPCError(.unavailable, "not connected to \(host):\(port) yet", reason: "NOT_CONNECTED")
    wakeUp = LoopSignal(loop: loop)
    waiting = CallQueue(loop: loop, countMax: options.waitingMax) { [unowned self] _ in lastError }
  }

  package var state: ConnectionState {
    connection != nil ? .ready : isConnecting ? .connecting : .waiting(lastError)
  }

  /// Calls under way on the present connection.
  package var callCount: Int { connection?.callCount ?? 0 }

  /// Waits for the attempt to connect that is under way, or comes next.
  ///
  /// - Throws: why there is no connection; ``run()`` tries again.
  package func untilConnected() async throws(RPCError) {
    loop.preconditionCurrent()
    if connection == nil, !isStopping { await withUnsafeContinuation { attemptWaiters.append($0) } }
    if connection == nil { throw lastError }
  }

  /// Keeps connected until the task is cancelled; calls under way fail then.
  package func run() async {
    await withTaskCancellationHandler {
      var backoff = options.backoffMin
      while !isStopping, !Task.isCancelled {
        isConnecting = true
        let isConnected = await connect()
        attemptEnded(isConnected)
        if isConnected {
          await untilConnectionEnds()
          if isConnecting {
            backoff = options.backoffMin
            continue
          }
        }
        if isStopping { break }
        await wakeUp.wait(atMost: backoff * Double.random(in: 0.8...1.2))
        backoff = min(backoff * 2, options.backoffMax)
      }
    } onCancel: {
      loop.execute { self.stop() }
    }
  }

  package func connectNow() {
    if connection != nil || isConnecting || isStopping { return }
    isConnecting = true
    wakeUp.signal()
  }

  package func unary<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request, _ options: CallOptions
  ) async throws -> Response {
    let call = TypedCall<Request, Response>(request, method: method.id, options: options)
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        call.continuation = continuation
        start(call)
      }
    } onCancel: {
      cancelled(call)
    }
  }

  package func call(method id: UInt16, payload: [UInt8], options: CallOptions) async throws -> CallResult {
    let call = RawCall(payload, method: id, options: options)
    return try await withTaskCancellationHandler {
      try await withUnsafeThrowingContinuation { continuation in
        call.continuation = continuation
        start(call)
      }
    } onCancel: {
      cancelled(call)
    }
  }

  package func stream<Request: Message, Response: Message>(
    _ method: MethodReference<Request, Response>, _ request: Request?, _ options: CallOptions
  ) -> StreamingCall<Request, Response> {
    let call = PendingStream(method, request, options, loop: loop)
    start(call)
    return StreamingCall(call) { [loop] in loop.execute { call.abandoned() } }
  }

  // MARK: Calls

  package func begin(_ call: PendingCall) {
    if let connection { connection.begin(call, now: loop.now) } else { call.end(lastError) }
  }

  private func start(_ call: PendingCall) {
    loop.preconditionCurrent()
    call.deadline = loop.now + call.options.timeout
    if Task.isCancelled {
      call.end(.givenUp)
    } else if connection == nil, call.waitsForReady, !isStopping {
      waiting.append(call)
    } else {
      begin(call)
    }
  }

  private func cancelled(_ call: PendingCall) {
    loop.execute { call.giveUp(.givenUp) }
  }

  // MARK: The connection

  private func connect() async -> Bool {
    do {
      let engine = try options.tls?.current().makeEngine(serverName: host)
      let tcp = try await TCPConnection.connect(
        loop: loop, host: host, port: port, timeout: options.connectTimeout)
      if let engine { tcp.secure(by: engine) }
      return await greet(tcp)
    } catch {
      lastError = RPCError(.unavailable, "\(error)", reason: "NOT_CONNECTED")
      return false
    }
  }

  /// Exchanges greetings; true when calls may begin.
  private func greet(_ tcp: TCPConnection) async -> Bool {
    var metadata = Metadata()
    if !options.name.isEmpty { metadata["name"] = options.name }
    metadata["token"] = options.token?.text
    let hello = Hello(
      payloadBytesMax: UInt32(options.payloadBytesMax), streamsMax: 0, callWindow: UInt32(options.callWindow),
      connectionWindow: UInt32(options.connectionWindow), metadata: metadata)
    return await withUnsafeContinuation { (continuation: UnsafeContinuation<Bool, Never>) in
      if isStopping {
        tcp.abort()
        return continuation.resume(returning: false)
      }
      var waiter: UnsafeContinuation<Bool, Never>? = continuation
      let timer = loop.schedule(after: options.connectTimeout) {
        self.opening?.end(
          RPCError(
            .unavailable, "\(self.address) accepted the connection but did not greet in time", reason: "NOT_CONNECTED"))
      }
      opening = ClientConnection(tcp: tcp, address: address, hello: hello, keepalive: options.keepalive) {
        change in
        timer.cancel()
        self.connectionChanged(change)
        if case .opened = change { waiter?.resume(returning: true) } else { waiter?.resume(returning: false) }
        waiter = nil
      }
    }
  }

  private func connectionChanged(_ change: ClientConnection.Change) {
    switch change {
    case .opened:
      connection = opening
      opening = nil
      opened = loop.now
      isConnecting = false
      onStateChange?()
      for (call, _) in waiting.takeAll() {
        if let connection { connection.begin(call, now: loop.now) } else { waiting.append(call) }
      }
    case .retired(let error):
      lastError = error
      let wasReady = connection != nil
      (connection, opening) = (nil, nil)
      // Looks for the server again at once, unless it hung up on us quickly.
      if wasReady { isConnecting = !isStopping && loop.now - opened >= options.backoffMax }
      connectionEnded?.resume()
      connectionEnded = nil
      if wasReady { onStateChange?() }
    case .handedBack(let calls):
      for call in calls { handedBack(call) }
    }
  }

  /// The server never saw the call: it goes elsewhere, or to the next connection.
  private func handedBack(_ call: PendingCall) {
    if let pool = call.pool {
      pool.handedBack(call)
    } else if connection != nil || isStopping {
      begin(call)
    } else {
      waiting.append(call)
    }
  }

  private func attemptEnded(_ isConnected: Bool) {
    if !isConnected {
      isConnecting = false
      onStateChange?()
    }
    for waiter in attemptWaiters { waiter.resume() }
    attemptWaiters = []
  }

  private func untilConnectionEnds() async {
    await withUnsafeContinuation { continuation in
      if connection == nil { continuation.resume() } else { connectionEnded = continuation }
    }
  }

  private func stop() {
    isStopping = true
    lastError = RPCError(.unavailable, "the client of \(address) has ended", reason: "CLIENT_ENDED")
    connection?.end(lastError)
    opening?.end(lastError)
    waiting.fail(lastError) { _ in true }
    attemptEnded(false)
  }
}
